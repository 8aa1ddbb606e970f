import { InvalidQueryError } from '../errors/query-errors.js';
import { isDocument, Kind, kindOf } from './bson-kind.js';
import { compareValues } from './compare.js';
import type { Doc } from './document.js';
import { reduceNumber } from './numeric.js';
import { isInherited, readField } from './path.js';
import { compareSortKeys, sortKeys } from './sort-keys.js';

/** The two directions of sorting. */
export const Sort = { Ascending: 1, Descending: -1 } as const;
export type Sort = (typeof Sort)[keyof typeof Sort];

/** Fields or dotted paths to sort by, the most important first. */
export type SortSpec = Record<string, Sort>;

/** A sort that has been checked and compiled. */
export interface CompiledSort {
  /** A copy of what was asked for. */
  readonly spec: SortSpec;

  /** Compares two documents, for `Array.prototype.sort`; documents that tie are 0. */
  compare(a: Doc, b: Doc): number;
}

/**
 * Checks a sort and compiles it into a comparison of documents.
 *
 * Values of different kinds sort in BSON's order, and what is missing as null. An array counts as
 * its smallest element when ascending and as its largest when descending; an empty one comes before
 * null. Paths through one array are taken from one element together. With `{}` all documents tie.
 * Source: MongoDB manual, "cursor.sort()" and "Comparison/Sort Order".
 *
 * @param spec - Directions by field.
 * @throws {@link InvalidQueryError} for a direction that is neither 1 nor -1, or a field name that
 * is empty or an operator.
 */
export function compileSort(spec: SortSpec): CompiledSort {
  if (!isDocument(spec)) throw new InvalidQueryError('sort', 'expected an object');
  const fields = Object.entries(spec).map(([path, direction]) => checkField(path, direction));
  const copy = Object.fromEntries(fields.map(({ path, direction }) => [path, direction]));
  const compareInFull = (a: Doc, b: Doc) =>
    compareSortKeys(sortKeys(a, fields), sortKeys(b, fields), fields);
  return Object.freeze({
    spec: copy,
    compare(a: Doc, b: Doc): number {
      for (const { path, names, direction, isPlain } of fields) {
        const left = isPlain ? a[path] : readUnlessArray(a, names);
        const right = isPlain ? b[path] : readUnlessArray(b, names);
        if (Array.isArray(left) || Array.isArray(right)) return compareInFull(a, b);
        const order = compareValues(left, right);
        if (order !== 0) return order * direction;
      }
      return 0;
    },
  });
}

/** The value at a path, or the first array on the way. */
function readUnlessArray(doc: Doc, names: readonly string[]): unknown {
  let value: unknown = doc;
  for (const name of names) {
    value = readField(value, name);
    if (value === undefined || Array.isArray(value)) return value;
  }
  return value;
}

function checkField(path: string, direction: unknown) {
  const place = `sort.${path}`;
  const names = path.split('.');
  if (names.some((name) => name === '' || name.startsWith('$'))) {
    throw new InvalidQueryError(place, 'not a field name that can be sorted by');
  }
  const value = kindOf(direction) === Kind.Number ? reduceNumber(direction) : direction;
  if (value !== Sort.Ascending && value !== Sort.Descending) {
    throw new InvalidQueryError(place, `expected 1 or -1, got ${String(direction)}`);
  }
  return { path, names, direction: value, isPlain: names.length === 1 && !isInherited(path) };
}
