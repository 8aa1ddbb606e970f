import type { Doc } from '../../query/document.js';

/**
 * Merges sorted sources into one; of documents that tie, those of an earlier source come first.
 *
 * One batch of each source is held at a time.
 *
 * @param sources - Each in the order of `compare`; all of them are ended when the merging is.
 * @param size - How many documents are yielded at a time, at most.
 */
export async function* mergeSorted(
  sources: readonly AsyncIterable<Doc[]>[],
  compare: (a: Doc, b: Doc) => number,
  size: number,
): AsyncGenerator<Doc[], void, undefined> {
  const heads = sources.map((source) => new Head(source));
  try {
    await Promise.all(heads.map((head) => head.fill()));
    let live = heads.filter((head) => head.doc !== undefined);
    let batch: Doc[] = [];
    while (live.length > 0) {
      const head = leastOf(live, compare);
      batch.push(head.doc as Doc);
      if (batch.length === size) {
        yield batch;
        batch = [];
      }
      if (head.advance()) continue;
      await head.fill();
      if (head.doc === undefined) live = live.filter((other) => other !== head);
    }
    if (batch.length > 0) yield batch;
  } finally {
    await Promise.all(heads.map((head) => head.end()));
  }
}

/**
 * Cuts documents off at both ends of what is read.
 *
 * @param limit - How many are left at most; 0 for all.
 */
export async function* cutBatches(
  batches: AsyncIterable<Doc[]>,
  skip: number,
  limit: number,
): AsyncGenerator<Doc[], void, undefined> {
  let toSkip = skip;
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  for await (const batch of batches) {
    const kept = batch.slice(toSkip, Math.min(batch.length, toSkip + left));
    toSkip -= Math.min(toSkip, batch.length);
    left -= kept.length;
    if (kept.length > 0) yield kept;
    if (left === 0) return;
  }
}

function leastOf(heads: readonly Head[], compare: (a: Doc, b: Doc) => number): Head {
  let least = heads[0] as Head;
  for (let i = 1; i < heads.length; i++) {
    const head = heads[i] as Head;
    if (compare(head.doc as Doc, least.doc as Doc) < 0) least = head;
  }
  return least;
}

/** A source, and the next document of it. */
class Head {
  readonly #batches: AsyncIterator<Doc[]>;
  #batch: Doc[] = [];
  #at = 0;

  constructor(source: AsyncIterable<Doc[]>) {
    this.#batches = source[Symbol.asyncIterator]();
  }

  /** Undefined at the end of the batch. */
  get doc(): Doc | undefined {
    return this.#batch[this.#at];
  }

  /** Moves on within the batch; false at its end. */
  advance(): boolean {
    this.#at++;
    return this.#at < this.#batch.length;
  }

  /** Reads the next batch; there is no document after the last one. */
  async fill(): Promise<void> {
    this.#at = 0;
    do {
      const next = await this.#batches.next();
      if (next.done) this.#batch = [];
      else this.#batch = next.value;
      if (next.done) return;
    } while (this.#batch.length === 0);
  }

  async end(): Promise<void> {
    await this.#batches.return?.();
  }
}
