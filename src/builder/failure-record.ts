import type { Store } from '../store/store.js';
import type { Bookkeeper } from './build-record.js';
import { keyOf } from './build-record.js';
import { openStores } from './open-stores.js';

/** What a builder's target remembers of an item that failed, or whose result it refused. */
export interface FailureRecord {
  /** The key that its target document has. */
  readonly key: unknown;
  /** The message of its error, or what is wrong with its result; a text, unless Python wrote it. */
  readonly error: unknown;
  /** When it failed last. */
  readonly last: Date;
  /** Name of the error's class; like the rest, where `failureDetails` asks for it. */
  readonly name?: string;
  /** How many times it was tried since it last succeeded, or its source changed. */
  readonly attempts?: number;
  /** When it failed first. */
  readonly first?: Date;
  /** Where in the code, with `failureDetails: 'stack'`. */
  readonly stack?: string | undefined;
}

/** Reads the failures that a target remembers; opens it for that, if it is closed. */
export async function* readFailures(
  target: Store,
  bookkeeper: Bookkeeper,
): AsyncGenerator<FailureRecord, void, undefined> {
  await using _open = await openStores({
    stores: () => [target],
    connect: () => target.connect(),
  });
  const properties = [target.key, ...bookkeeper.fields];
  for await (const doc of target.query(bookkeeper.failed, { properties })) {
    const failure = bookkeeper.failureOf(doc);
    if (failure !== null) yield { key: keyOf(target, doc), ...failure };
  }
}
