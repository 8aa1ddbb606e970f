/**
 * A bounded queue between two stages that run at the same time.
 *
 * The writer asks for room before it adds, the reader waits for items: whoever is faster is held back. The bound is
 * checked before an addition, so that a batch added at once may exceed it by its own length.
 */
export class ItemQueue<T> {
  readonly #capacity: number;
  #items: T[] = [];
  #head = 0;
  #state: 'open' | 'ended' | 'closed' = 'open';
  #readers: (() => void)[] = [];
  #writers: (() => void)[] = [];
  #closing: (() => void)[] = [];

  /** @param capacity - From how many items on there is no room for more. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** True when items may be added without waiting. A closed queue has room: what is added is dropped. */
  get hasRoom(): boolean {
    return this.size < this.#capacity || this.#state === 'closed';
  }

  /** True when nothing is left to take and nothing will come. */
  get finished(): boolean {
    return this.#state !== 'open' && this.size === 0;
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Waits until there is room. */
  async room(): Promise<void> {
    while (!this.hasRoom) await new Promise<void>((resolve) => this.#writers.push(resolve));
  }

  add(item: T): void {
    if (this.#state === 'closed') return;
    this.#items.push(item);
    wake(this.#readers);
  }

  addAll(items: readonly T[]): void {
    if (this.#state === 'closed') return;
    for (const item of items) this.#items.push(item);
    wake(this.#readers);
  }

  /** No more items will come; what is there can still be taken. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    wake(this.#readers);
  }

  /** Drops what is there and everything that comes; nobody waits any more. */
  close(): void {
    this.#state = 'closed';
    this.#items = [];
    this.#head = 0;
    wake(this.#readers);
    wake(this.#writers);
    wake(this.#closing);
  }

  /** Resolves when the queue is closed; never when it just ends. */
  async whenClosed(): Promise<void> {
    if (!this.closed) await new Promise<void>((resolve) => this.#closing.push(resolve));
  }

  /** Waits until there are `atLeast` items, or no more will come. */
  async filled(atLeast: number): Promise<void> {
    while (this.size < atLeast && this.#state === 'open')
      await new Promise<void>((resolve) => this.#readers.push(resolve));
  }

  /** Takes up to `atMost` items, without waiting. */
  take(atMost: number): T[] {
    const taken = this.#items.slice(this.#head, this.#head + atMost);
    this.#head += taken.length;
    // Shifting once per half, not once per item, keeps taking cheap.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    if (taken.length > 0) wake(this.#writers);
    return taken;
  }
}

function wake(waiting: (() => void)[]): void {
  for (const resolve of waiting.splice(0)) resolve();
}
