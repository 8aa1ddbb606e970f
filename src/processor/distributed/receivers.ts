import type { Lease } from './engine.js';

/** What comes of asking for a chunk: see `WorkerSession.receive`. */
export type Received = Lease | 'run-finished' | undefined;

/** What follows when somebody begins to wait, or gives up. */
interface ReceiversEvents {
  readonly asked: () => void;
  readonly gaveUp?: () => void;
}

/** Those who wait for a chunk of a worker's session. */
export class Receivers {
  readonly #events: ReceiversEvents;
  readonly #waiting = new Set<(received: Promise<Received>) => void>();
  #failure: { readonly error: unknown } | undefined;
  #hasFinished = false;
  #isClosed = false;

  constructor(events: ReceiversEvents) {
    this.#events = events;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  get hasFinished(): boolean {
    return this.#hasFinished;
  }

  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Waits for a chunk, or for the end of all. */
  receive(signal?: AbortSignal): Promise<Received> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (this.#hasFinished) return Promise.resolve('run-finished');
    if (this.#isClosed || signal?.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const give = (received: Promise<Received>) => {
        this.#waiting.delete(give);
        signal?.removeEventListener('abort', giveUp);
        resolve(received);
      };
      const giveUp = () => {
        give(Promise.resolve(undefined));
        this.#events.gaveUp?.();
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(give);
      this.#events.asked();
    });
  }

  /** A chunk goes to whoever waited longest; false when nobody waits. */
  give(lease: Lease): boolean {
    const [give] = this.#waiting;
    give?.(Promise.resolve(lease));
    return give !== undefined;
  }

  /** The run is over. */
  finish(): void {
    this.#hasFinished = true;
    this.#giveAll(() => Promise.resolve('run-finished'));
  }

  /** Nobody gets a chunk any more, because of this. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#giveAll(() => Promise.reject(error));
  }

  /** The session is over. */
  close(): void {
    this.#isClosed = true;
    this.#giveAll(() => Promise.resolve(undefined));
  }

  #giveAll(received: () => Promise<Received>): void {
    for (const give of [...this.#waiting]) give(received());
  }
}
