import type { Doc } from '../query/document.js';
import { getPath } from '../query/path.js';
import type { Store } from '../store/store.js';
import type { Refusal } from '../store/store-options.js';
import { composeDocument } from './build-record.js';
import { MEMBERS_FIELD } from './projection-diff.js';
import { refusedResults } from './refusals.js';

/** What is written for results that the validator refused, so that they are not built again for nothing. */
export function refusalRecords(
  target: Store,
  results: readonly Doc[],
  refused: readonly Refusal[],
): Doc[] {
  return refusedResults(target, results, refused).map(({ doc, record }) => {
    const fields = [target.key, target.lastUpdatedField];
    const head = fields.map((field) => [field, getPath(doc, field)] as const);
    const members = { [MEMBERS_FIELD]: doc[MEMBERS_FIELD] };
    return composeDocument(head, {}, new Set(), { ...members, ...record });
  });
}
