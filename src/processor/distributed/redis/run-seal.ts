import type { Sealed } from '../engine.js';
import { Sealer } from '../seal.js';

/** What manager and workers tell each other by way of a Redis, besides chunks. */
export type Told = 'result' | 'failure' | 'event' | 'note';

/** Encrypts what is told of a run: results and errors hold keys of documents, and a Redis has other users. */
export class RunSeal {
  readonly #sealer: Sealer;
  readonly #run: string;

  constructor(secret: Uint8Array, run: string) {
    this.#sealer = new Sealer(secret);
    this.#run = run;
  }

  /** @param stage - Of which chunk it is told. */
  seal(kind: Told, value: unknown, stage = 0, index = 0): Sealed {
    return this.#sealer.seal(JSON.stringify(value), this.#place(kind, stage, index));
  }

  /** @throws {@link SealError} when it was not told by one of us of just that chunk. */
  open<T>(kind: Told, sealed: Sealed, stage = 0, index = 0): T {
    return JSON.parse(this.#sealer.open(sealed, this.#place(kind, stage, index))) as T;
  }

  /** Not that of a chunk. */
  #place(kind: Told, stage: number, index: number) {
    return { run: `${kind} of ${this.#run}`, stage, index };
  }
}
