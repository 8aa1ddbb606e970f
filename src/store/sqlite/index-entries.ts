import type { Doc } from '../../query/document.js';
import { getPath, readField, valuesAt } from '../../query/path.js';
import { sortKeys } from '../../query/sort-keys.js';
import type { OrderedBytes } from './order-preserving.js';
import { encodeForIndex } from './order-preserving.js';

/** What a value in an index is good for; a row of the index has the sum. */
export const Role = {
  /** A condition on the path is tried on it. */
  Match: 1,
  /** The document stands here when it is sorted upwards … */
  Ascending: 2,
  /** … and downwards. */
  Descending: 4,
  /** It is what the document has under the path, arrays not entered: what a key must be equal to. */
  Whole: 8,
} as const;

const EVERY_ROLE = Role.Match | Role.Ascending | Role.Descending | Role.Whole;

/** One value that an index has of a document. */
export interface IndexEntry {
  readonly value: OrderedBytes;
  readonly roles: number;
}

/**
 * Lists what an index on a path holds of a document: at least one value, each once.
 *
 * Exactly one of them has the role Ascending, one Descending, and one Whole; where the path is missing that is null.
 */
export function indexEntries(doc: Doc, path: string): IndexEntry[] {
  if (!path.includes('.')) {
    const value = readField(doc, path);
    if (!Array.isArray(value)) return [{ value: encodeForIndex(value), roles: EVERY_ROLE }];
  }
  const entries = new Map<string, { value: OrderedBytes; roles: number }>();
  const add = (value: unknown, role: number): void => {
    const bytes = encodeForIndex(value);
    const key = textOf(bytes);
    const known = entries.get(key);
    if (known === undefined) entries.set(key, { value: bytes, roles: role });
    else known.roles |= role;
  };
  for (const value of valuesAt(doc, path)) add(value, Role.Match);
  add(sortKeyAt(doc, path, 1), Role.Ascending);
  add(sortKeyAt(doc, path, -1), Role.Descending);
  add(getPath(doc, path), Role.Whole);
  return [...entries.values()];
}

/** Bytes as the key of a Map. */
export const textOf = (bytes: OrderedBytes): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

function sortKeyAt(doc: Doc, path: string, direction: 1 | -1): unknown {
  return sortKeys(doc, [{ names: path.split('.'), direction }])[0];
}
