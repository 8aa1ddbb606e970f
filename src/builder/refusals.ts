import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import type { Store } from '../store/store.js';
import type { Refusal } from '../store/store-options.js';
import { keyOf } from './build-record.js';

/** A result that the target's validator refused. */
export interface RefusedResult {
  readonly doc: Doc;
  /** What is wrong with it. */
  readonly paths: readonly string[];
  /** What remembers it, so that it is not built again before its source or the rules change. */
  readonly record: {
    readonly error: string;
    readonly state: 'failed';
    readonly _bt: Date;
    readonly _schema?: string;
  };
}

/** Finds the results that were refused. One that is too large, say, is left out: nothing of it can be kept. */
export function refusedResults(
  target: Store,
  results: readonly Doc[],
  refused: readonly Refusal[],
): RefusedResult[] {
  if (refused.length === 0) return [];
  const byKey = new Map(results.map((doc) => [hashValue(keyOf(target, doc)), doc]));
  const rules = target.validator?.fingerprint;
  const now = new Date();
  return refused.flatMap(({ key, reason, paths = [] }) => {
    const doc = byKey.get(hashValue(key));
    if (doc === undefined || paths.length === 0) return [];
    const error = `${reason}: ${paths.join('; ')}`;
    const schema = rules === undefined ? {} : { _schema: rules };
    return [{ doc, paths, record: { error, state: 'failed' as const, _bt: now, ...schema } }];
  });
}
