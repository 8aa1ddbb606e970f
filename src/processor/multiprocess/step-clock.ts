const NONE = -1;

/**
 * Memory that a worker and whoever watches it share: which step the worker is at, and since when.
 *
 * It can be read while the worker is in an endless loop, and after it died.
 */
export class StepClock {
  /** What is handed to the other side. */
  readonly memory: SharedArrayBuffer;
  readonly #step: Int32Array;
  readonly #since: Float64Array;

  /** @param memory - What the other side has; without, new memory. */
  constructor(memory = new SharedArrayBuffer(16)) {
    this.memory = memory;
    this.#step = new Int32Array(memory, 0, 1);
    this.#since = new Float64Array(memory, 8, 1);
  }

  /** The worker begins a step. */
  begin(step: number): void {
    // The time first: whoever reads the step finds its time, or a later one.
    this.#since[0] = now();
    Atomics.store(this.#step, 0, step);
  }

  /** The worker's time is its own; the step stays, for whoever asks what it was at when it died. */
  rest(): void {
    this.#since[0] = 0;
  }

  /** No step was begun yet. */
  reset(): void {
    this.#since[0] = 0;
    Atomics.store(this.#step, 0, NONE);
  }

  /** The step that was begun last, from 0; null for none. */
  get step(): number | null {
    const step = Atomics.load(this.#step, 0);
    return step === NONE ? null : step;
  }

  /** How long the step has been at work, in milliseconds; 0 for none. */
  get elapsedMs(): number {
    const since = this.#since[0] ?? 0;
    return since === 0 ? 0 : now() - since;
  }
}

// Threads have time origins of their own.
const now = (): number => performance.timeOrigin + performance.now();
