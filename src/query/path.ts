import { InvalidQueryError } from '../errors/query-errors.js';
import { setOwn } from '../util/set-own.js';
import { isDocument } from './bson-kind.js';
import type { Doc } from './document.js';

/**
 * Reads the value under a dotted path, one step at a time.
 *
 * Arrays are entered by index only (`a.0.b`), never element by element; {@link valuesAt} does that.
 * Fields are own fields: `constructor` and `__proto__` are data or missing.
 *
 * @returns The value itself, not a copy; `undefined` when any step is missing.
 */
export function getPath(doc: Doc, path: string): unknown {
  if (!path.includes('.')) return readField(doc, path);
  let value: unknown = doc;
  for (const name of path.split('.')) value = readField(value, name);
  return value;
}

/**
 * A document without a field; the same one when it has no such field.
 *
 * @param path - Dotted for a nested field. What is nested is looked for in objects, not in arrays.
 */
export function withoutPath(doc: Doc, path: string): Doc {
  return withoutSteps(doc, path.split('.'));
}

function withoutSteps(doc: Doc, [name = '', ...inner]: readonly string[]): Doc {
  if (!Object.hasOwn(doc, name)) return doc;
  const { [name]: value, ...rest } = doc;
  if (inner.length === 0) return rest;
  const isNested = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isNested ? { ...doc, [name]: withoutSteps(value as Doc, inner) } : doc;
}

/**
 * Writes a value under a dotted path; the document is changed in place.
 *
 * Missing documents on the way are made; arrays are entered by index.
 *
 * @throws {@link InvalidQueryError} when something on the way is neither a document nor an array.
 */
export function setPath(doc: Doc, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() as string;
  let target: unknown = doc;
  for (const name of names) {
    let next = readField(target, name);
    if (next === undefined) {
      next = {};
      setOwn(asContainer(target, path), name, next);
    }
    target = next;
  }
  setOwn(asContainer(target, path), last, value);
}

/**
 * Lists every value that a condition on a dotted path is tried on, as MongoDB sees it.
 *
 * An array at the end of the path gives each element and then itself; an array on the way is
 * entered element by element, and by index where the next name is one; `undefined` stands for each
 * place where the path is missing. An index over these values finds whatever an equality matches.
 * Source: MongoDB manual, "Query an Array" and "Query an Array of Embedded Documents".
 */
export function valuesAt(doc: Doc, path: string): unknown[] {
  const values: unknown[] = [];
  const collect = (value: unknown): boolean => {
    values.push(value);
    return false;
  };
  someValueAt(doc, path.split('.'), 0, collect, true);
  return values;
}

/** A question about one value; `undefined` is a missing one. */
export type ValueTest = (value: unknown) => boolean;

/** A question about one document, or about an array that is taken for one. */
export type DocTest = (doc: object) => boolean;

/**
 * Makes a question about a value into one about a document: does it hold for any value at the path?
 *
 * @param unrolls - Whether an array at the end of the path is tried by element, too.
 */
export function someAtPath(path: string, test: ValueTest, unrolls: boolean): DocTest {
  const names = path.split('.');
  if (names.length > 1) return (doc) => someValueAt(doc, names, 0, test, unrolls);
  const atEnd = unrolls
    ? (value: unknown) => (Array.isArray(value) ? someElement(value, test) : test(value))
    : test;
  return isInherited(path)
    ? (doc) => atEnd(readField(doc, path))
    : (doc) => atEnd((doc as Doc)[path]);
}

/** Walks from a document down the names from `start` on, until the test holds somewhere. */
export function someValueAt(
  container: unknown,
  names: readonly string[],
  start: number,
  test: ValueTest,
  unrolls: boolean,
): boolean {
  let value = container;
  for (let i = start; i < names.length; i++) {
    value = readField(value, names[i] as string);
    if (Array.isArray(value)) return someInArray(value, names, i + 1, test, unrolls);
    if (value === undefined) break;
  }
  return test(value);
}

function someInArray(
  array: readonly unknown[],
  names: readonly string[],
  next: number,
  test: ValueTest,
  unrolls: boolean,
): boolean {
  const name = names[next];
  if (name === undefined) return unrolls ? someElement(array, test) : test(array);
  for (const element of array) {
    if (isDocument(element) && someValueAt(element, names, next, test, unrolls)) return true;
  }
  if (!isIndex(name) || Number(name) >= array.length) return false;
  const element = array[Number(name)] ?? null;
  // An element that the path names is one value: it is not unrolled at the end of the path.
  if (next + 1 === names.length) return test(element);
  if (Array.isArray(element)) return someInArray(element, names, next + 1, test, unrolls);
  return isDocument(element) && someValueAt(element, names, next + 1, test, unrolls);
}

/** Each element, then the array as a whole. */
function someElement(array: readonly unknown[], test: ValueTest): boolean {
  for (let i = 0; i < array.length; i++) {
    const element = array[i];
    if (test(element === undefined ? null : element)) return true;
  }
  return test(array);
}

/** Reads an own field of a document, or an element of an array by its index. */
export function readField(container: unknown, name: string): unknown {
  if (typeof container !== 'object' || container === null) return undefined;
  if (Array.isArray(container)) return isIndex(name) ? container[Number(name)] : undefined;
  const value = (container as Doc)[name];
  if (value === undefined || !isDocument(container)) return undefined;
  const mayBeInherited = typeof value === 'function' || name === '__proto__';
  return mayBeInherited && !Object.hasOwn(container, name) ? undefined : value;
}

/** True for names that an object or array may have without owning a field of that name. */
export function isInherited(name: string): boolean {
  return name in Array.prototype;
}

/** True for the decimal digits of an array index, without leading zeros. */
export function isIndex(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name);
}

function asContainer(value: unknown, path: string): Record<string, unknown> {
  if (Array.isArray(value) || isDocument(value)) return value as Record<string, unknown>;
  throw new InvalidQueryError(path, 'a part of the path is neither a document nor an array');
}
