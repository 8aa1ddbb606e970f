import { equalValues } from '../../src/query/compare.js';

/** Freezes a tree of plain objects and arrays; values of BSON classes hold buffers and stay. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const isTree = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (isTree) for (const inner of Object.values(value)) deepFreeze(inner);
  return isTree ? Object.freeze(value) : value;
}

/** Brings the fields of all documents in a tree into alphabetical order. */
export function sortedKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sortedKeys) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, sortedKeys(inner)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) as T;
}

/** Compares two lists by MongoDB's equality, in order or as multisets. */
export function sameDocs(
  found: readonly unknown[],
  wanted: readonly unknown[],
  { ordered }: { readonly ordered: boolean },
): boolean {
  if (found.length !== wanted.length) return false;
  if (ordered) return found.every((value, index) => equalValues(value, wanted[index]));
  const left = [...wanted];
  return found.every((value) => {
    const index = left.findIndex((other) => equalValues(value, other));
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}
