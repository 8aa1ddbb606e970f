import type { Doc } from '../../query/document.js';
import { getPath, isIndex } from '../../query/path.js';

/**
 * Criteria for the stored document that has the same key, as {@link Store.update} means it.
 *
 * An equality of MongoDB's finds more: elements of arrays, and missing fields for null. A document found that way is
 * another one, and must not be replaced.
 *
 * @param doc - It has a value at each of the paths.
 * @param paths - The fields that make up the key.
 */
export function keyFilter(doc: Doc, paths: readonly string[]): Doc {
  const conditions = paths.flatMap((path) => conditionsAt(path, getPath(doc, path)));
  const [only = {}] = conditions;
  return conditions.length === 1 ? only : { $and: conditions };
}

function conditionsAt(path: string, value: unknown): Doc[] {
  // No array, never missing; and a server is fastest for this form.
  if (path === '_id') return [{ _id: { $eq: value } }];
  return [{ [path]: exactly(value) }, ...prefixes(path).map((outer) => ({ [outer]: NO_ARRAY }))];
}

const NO_ARRAY = { $not: { $type: 'array' } } as const;

function exactly(value: unknown): Doc {
  if (value === null || value === undefined) return { $type: 'null', ...NO_ARRAY };
  return Array.isArray(value)
    ? { $eq: value, $not: { $elemMatch: { $eq: value } } }
    : { $eq: value, ...NO_ARRAY };
}

/** The documents on the way of a dotted path; where the path goes on by an index an array is meant. */
function prefixes(path: string): string[] {
  const names = path.split('.');
  const found: string[] = [];
  for (let i = 1; i < names.length; i++)
    if (!isIndex(names[i] as string)) found.push(names.slice(0, i).join('.'));
  return found;
}
