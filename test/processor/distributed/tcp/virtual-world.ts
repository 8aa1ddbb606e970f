import { Random } from '../../../query/generate.js';

/** What is violated, and when. */
export class Violation extends Error {}

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock, and what happens by it. Everything random comes from one seed. */
export class VirtualWorld {
  readonly random: Random;
  now = 0;
  #order = 0;
  readonly #heap: Happening[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Milliseconds from `from` to below `to`. */
  between(from: number, to: number): number {
    return from + this.random.next() * (to - from);
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  at(at: number, run: () => void): void {
    push(this.#heap, { at, order: this.#order++, run });
  }

  /** Lets things happen until something is so; false when it is not within the time. */
  runUntil(isSo: () => boolean, latest: number): boolean {
    while (!isSo()) {
      const next = pop(this.#heap);
      if (next === undefined || next.at > latest) return false;
      this.now = next.at;
      next.run();
    }
    return true;
  }
}

const isBefore = (a: Happening, b: Happening) =>
  a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Happening[], added: Happening): void {
  let i = heap.push(added) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!isBefore(added, heap[parent]!)) break;
    heap[i] = heap[parent]!;
    i = parent;
  }
  heap[i] = added;
}

function pop(heap: Happening[]): Happening | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[i] = heap[child]!;
    i = child;
  }
  heap[i] = last;
  return first;
}

/** A process: when it is stopped, what happens to it waits; when it is dead, nothing does. */
export class VirtualProcess {
  readonly #world: VirtualWorld;
  isAlive = true;
  #stoppedUntil = 0;

  constructor(world: VirtualWorld) {
    this.#world = world;
  }

  stop(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#world.now + ms);
  }

  get isStopped(): boolean {
    return this.#world.now < this.#stoppedUntil;
  }

  after(ms: number, run: () => void): void {
    this.#world.after(ms, () => this.#happen(run));
  }

  every(ms: number, run: () => void): void {
    this.after(ms, () => {
      run();
      this.every(ms, run);
    });
  }

  #happen(run: () => void): void {
    if (!this.isAlive) return;
    if (this.isStopped) this.#world.at(this.#stoppedUntil, () => this.#happen(run));
    else run();
  }
}

/** How bad a network is. */
export interface NetworkStyle {
  /** What a single message may come to; not so with TCP. */
  readonly drop: number;
  readonly duplicate: number;
  readonly reorder: boolean;
  readonly slow: number;
}

/** Two ends, of which each is told, later or never, that the other is gone. */
export class VirtualConnection {
  static #count = 0;
  readonly id = ++VirtualConnection.#count;
  readonly #world: VirtualWorld;
  readonly #style: NetworkStyle;
  readonly #arrival = { manager: 0, worker: 0 };
  readonly #open = { manager: true, worker: true };
  isCut = false;

  constructor(world: VirtualWorld, style: NetworkStyle) {
    this.#world = world;
    this.#style = style;
  }

  isOpen(end: 'manager' | 'worker'): boolean {
    return this.#open[end];
  }

  shut(end: 'manager' | 'worker'): void {
    this.#open[end] = false;
  }

  /** Carries a message to an end. */
  carry(to: 'manager' | 'worker', deliver: (ms: number) => void): void {
    const { random } = this.#world;
    const { drop, duplicate, reorder, slow } = this.#style;
    if (this.isCut || random.chance(drop)) return;
    const copies = random.chance(duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delay = random.chance(slow) ? this.#world.between(0, 3000) : this.#world.between(1, 30);
      const at = this.#world.now + delay;
      const arrival = reorder ? at : Math.max(at, this.#arrival[to]);
      this.#arrival[to] = arrival;
      deliver(arrival - this.#world.now);
    }
  }
}
