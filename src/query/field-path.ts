import { isDocument } from './bson-kind.js';
import { readField } from './path.js';

/**
 * Reads a field reference such as `$a.b` as MongoDB's expressions do, which is not as filters do:
 * an array on the way gives an array of what its documents have there, indexes mean nothing, and an
 * array at the end is one value.
 *
 * @returns `undefined` when the field is missing.
 */
export function readFieldPath(doc: unknown, names: readonly string[], start = 0): unknown {
  let value: unknown = doc;
  for (let i = start; i < names.length; i++) {
    if (Array.isArray(value)) return readFromElements(value, names, i);
    value = readField(value, names[i] as string);
    if (value === undefined) return undefined;
  }
  return value;
}

function readFromElements(
  array: readonly unknown[],
  names: readonly string[],
  next: number,
): unknown[] {
  const values: unknown[] = [];
  for (const element of array) {
    const value = isDocument(element) ? readFieldPath(element, names, next) : undefined;
    if (value !== undefined) values.push(value);
  }
  return values;
}
