import type { ItemFailure } from '../../builder/build-report.js';
import { addResults, NO_PROGRESS, NO_RESULT } from './chunk-result.js';
import type { ChunkProgress, ChunkResult } from './engine.js';

/** What was heard of the chunks of a stage, added up: what was missed, or comes twice, makes it no more than it is. */
export class ChunkTally {
  /** How far all have come. */
  readonly reached = { fetched: 0, processed: 0, written: 0 };
  /** How far each has come, at its best; of failures what its last attempt told. */
  readonly #chunks = new Map<number, ChunkProgress>();
  readonly #done = new Set<number>();
  #result: ChunkResult = NO_RESULT;
  /** In chunks that are not done. */
  #failed = 0;

  /** How many chunks are done. */
  get done(): number {
    return this.#done.size;
  }

  /** How many items failed, also of the chunks that are not done. */
  get failed(): number {
    return this.#result.failed + this.#failed;
  }

  /** What is known, should no chunk be waited for any more. */
  get known(): ChunkResult {
    const failures: ItemFailure[] = [];
    for (const { failures: some } of this.#chunks.values()) failures.push(...some);
    const failed = this.#failed;
    return addResults(this.#result, {
      ...NO_RESULT,
      ...{ processed: failed, failed, errors: failed, failures },
    });
  }

  /** A chunk is at work. */
  advance(index: number, { failed, failures, ...progress }: ChunkProgress): void {
    if (this.#done.has(index)) return;
    // That it was begun again may not have been heard.
    if (failed < (this.#chunks.get(index)?.failed ?? 0)) this.begunAgain(index);
    const before = this.#chunks.get(index) ?? NO_PROGRESS;
    this.#failed += failed - before.failed;
    this.#reach(index, { ...progress, failed, failures: [...before.failures, ...failures] });
  }

  /** An attempt is over; whatever failed in it is tried again. */
  begunAgain(index: number): void {
    const before = this.#chunks.get(index);
    if (before === undefined || this.#done.has(index)) return;
    this.#failed -= before.failed;
    this.#chunks.set(index, { ...before, failed: 0, failures: [] });
  }

  /** @returns false when that was known. */
  complete(index: number, result: ChunkResult): boolean {
    if (this.#done.has(index)) return false;
    this.begunAgain(index);
    this.#done.add(index);
    const { processed } = result;
    this.#reach(index, { ...NO_PROGRESS, fetched: processed, processed, written: processed });
    this.#result = addResults(this.#result, result);
    return true;
  }

  #reach(index: number, progress: ChunkProgress): void {
    const before = this.#chunks.get(index) ?? NO_PROGRESS;
    // A chunk that is done again begins from the start: progress stays where it was until then.
    const best = { ...progress };
    for (const step of ['fetched', 'processed', 'written'] as const) {
      best[step] = Math.max(before[step], progress[step]);
      this.reached[step] += best[step] - before[step];
    }
    this.#chunks.set(index, best);
  }
}
