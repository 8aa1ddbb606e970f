import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import type { Store } from '../store/store.js';
import type { Refusal } from '../store/store-options.js';
import { composeDocument, keyOf } from './build-record.js';
import { MEMBERS_FIELD, RULES_FIELD } from './projection-diff.js';

/** What is written for results that the validator refused, so that they are not built again for nothing. */
export function refusalRecords(
  target: Store,
  results: readonly Doc[],
  refused: readonly Refusal[],
): Doc[] {
  const byKey = new Map(
    refused.length === 0 ? [] : results.map((doc) => [hashValue(keyOf(target, doc)), doc]),
  );
  return refused.flatMap(({ key, reason, paths = [] }) => {
    const doc = byKey.get(hashValue(key));
    // One that is too large, say: nobody knows whether it would be next time.
    if (doc === undefined || paths.length === 0) return [];
    const head = [
      [target.key, key],
      [target.lastUpdatedField, getPath(doc, target.lastUpdatedField)],
    ] as const;
    const rules = target.validator?.fingerprint;
    const record = {
      [MEMBERS_FIELD]: doc[MEMBERS_FIELD],
      error: `${reason}: ${paths.join('; ')}`,
      state: 'failed',
      _bt: new Date(),
      ...(rules !== undefined && { [RULES_FIELD]: rules }),
    };
    return [composeDocument(head, {}, new Set(), record)];
  });
}
