import { readFileSync, rmSync } from 'node:fs';
import { FileFormatError } from '../errors/serialization-errors.js';
import { StoreConflictError } from '../errors/store-errors.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { withFileLock } from '../util/file-lock.js';
import type { Claim, ClaimBoard } from './claim-board.js';

/** A claim in a file of its own, beside the file that it is about. */
export class ClaimFile implements ClaimBoard {
  readonly #file: string;
  readonly #store: string;

  /**
   * @param file - Where the claim is; it is only there while somebody has it.
   * @param store - Name of the store, for messages.
   */
  constructor(file: string, store: string) {
    this.#file = file;
    this.#store = store;
  }

  async read(): Promise<Claim | null> {
    return this.#now();
  }

  async swap(from: string | null, to: Claim | null): Promise<boolean> {
    return withFileLock(
      this.#file,
      () => {
        if ((this.#now()?.id ?? null) !== from) return false;
        if (to === null) rmSync(this.#file, { force: true });
        else writeFileAtomic(this.#file, JSON.stringify(to));
        return true;
      },
      (problem) => new StoreConflictError(this.#store, problem),
    );
  }

  #now(): Claim | null {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Claim;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      if (!(error instanceof SyntaxError)) throw error;
      throw new FileFormatError(this.#file, 'it should say who writes, and is damaged: delete it');
    }
  }
}
