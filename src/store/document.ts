import { Binary, Long } from 'bson';
import { InvalidDocumentError } from '../errors/store-errors.js';
import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import { setOwn } from '../util/set-own.js';

/** MongoDB's own limit is 100; a cycle is found by it, too. */
const MAX_DEPTH = 180;

/**
 * Copies a document into a form that every backend stores alike.
 *
 * What is BSON stays what it is; `undefined` fields are dropped (array elements become null), a bigint
 * becomes a Long, a Buffer a Binary. Anything else cannot be stored.
 *
 * @param doc - Not changed; the copy shares nothing with it that can be changed.
 * @param path - Where the document is, for messages.
 * @throws {@link InvalidDocumentError} for a function, a symbol, a cycle, an invalid Date, a Map, a Set or an
 * instance of a class, with its path.
 */
export function copyDocument(doc: unknown, path = '$'): Doc {
  if (!isPlainObject(doc))
    throw new InvalidDocumentError(path, `expected an object, got ${kindOf(doc)}`);
  return copyObject(doc, path, 0);
}

/**
 * Makes sure that a value can be stored, without copying it.
 *
 * @throws {@link InvalidDocumentError} as {@link copyDocument} does.
 */
export function assertStorable(value: unknown, path = '$'): void {
  check(value, path, 0);
}

/**
 * Leaves one document for each key, the last one.
 *
 * @param paths - The fields that make up the key.
 * @throws {@link InvalidDocumentError} for a document that lacks one of them.
 */
export function lastOfEachKey(docs: readonly Doc[], paths: readonly string[]): Doc[] {
  const unique = new Map<Hash, Doc>();
  docs.forEach((doc, i) => {
    const values = paths.map((path) => {
      const value = getPath(doc, path);
      if (value === undefined) throw keyless(doc, docs.length > 1 ? `$[${i}]` : '$', path);
      return value;
    });
    const hash = hashValue(values.length === 1 ? values[0] : values);
    // Deleted first, so that the later document also keeps its later place.
    unique.delete(hash);
    unique.set(hash, doc);
  });
  return [...unique.values()];
}

/**
 * Makes sure that each document has a field.
 *
 * @throws {@link InvalidDocumentError} for the first that lacks it.
 */
export function assertEachHas(docs: readonly Doc[], path: string): void {
  docs.forEach((doc, i) => {
    if (getPath(doc, path) === undefined) throw keyless(doc, `$[${i}]`, path);
  });
}

function keyless(doc: Doc, place: string, path: string): InvalidDocumentError {
  const fields = Object.keys(doc).slice(0, 20).join(', ');
  return new InvalidDocumentError(place, `it has no key field "${path}" (it has: ${fields})`);
}

function copyObject(source: Doc, path: string, depth: number): Doc {
  if (depth > MAX_DEPTH) throw tooDeep(path);
  const copy: Doc = {};
  for (const name of Object.keys(source)) {
    const value = source[name];
    if (value === undefined) continue;
    const stored = isScalar(value) ? value : copyValue(value, `${path}.${name}`, depth + 1);
    if (name === '__proto__') setOwn(copy, name, stored);
    else copy[name] = stored;
  }
  return copy;
}

function copyValue(value: unknown, path: string, depth: number): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return toLong(value, path);
  if (isScalar(value)) return value;
  if (Array.isArray(value)) {
    if (depth > MAX_DEPTH) throw tooDeep(path);
    const copy = new Array(value.length);
    for (let i = 0; i < value.length; i++)
      copy[i] = copyValue(value[i], `${path}[${i}]`, depth + 1);
    return copy;
  }
  if (isPlainObject(value)) return copyObject(value, path, depth);
  if (value instanceof Date) return new Date(validTime(value, path));
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Uint8Array) return new Binary(Uint8Array.from(value));
  if (value instanceof Binary) return copyBinary(value);
  if (isBsonValue(value)) return value;
  throw unstorable(value, path);
}

function check(value: unknown, path: string, depth: number): void {
  if (isScalar(value) || value === undefined) return;
  if (depth > MAX_DEPTH) throw tooDeep(path);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++)
      if (!isScalar(value[i])) check(value[i], `${path}[${i}]`, depth + 1);
  } else if (isPlainObject(value)) {
    for (const name of Object.keys(value))
      if (!isScalar(value[name])) check(value[name], `${path}.${name}`, depth + 1);
  } else if (value instanceof Date) validTime(value, path);
  else if (typeof value === 'bigint') toLong(value, path);
  else if (!(value instanceof RegExp || value instanceof Uint8Array || isBsonValue(value)))
    throw unstorable(value, path);
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  value === null;

/** True for object literals and objects without a prototype, also those of another realm. */
function isPlainObject(value: unknown): value is Doc {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && !('_bsontype' in value))
  );
}

const isBsonValue = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && '_bsontype' in value;

/** A Binary can be changed in place, so it is copied; UUID is a Binary, too. */
function copyBinary(value: Binary): Binary {
  const bytes = Uint8Array.from(value.buffer.subarray(0, value.position));
  return value.sub_type === Binary.SUBTYPE_UUID && value.position === 16
    ? new Binary(bytes, Binary.SUBTYPE_UUID).toUUID()
    : new Binary(bytes, value.sub_type);
}

function validTime(date: Date, path: string): number {
  const time = date.getTime();
  if (Number.isNaN(time)) throw new InvalidDocumentError(path, 'the Date is invalid');
  return time;
}

function toLong(value: bigint, path: string): Long {
  if (BigInt.asIntN(64, value) !== value)
    throw new InvalidDocumentError(path, `${value} does not fit into 64 bits`);
  return Long.fromBigInt(value);
}

const tooDeep = (path: string): InvalidDocumentError =>
  new InvalidDocumentError(
    path.slice(0, 60),
    `it is nested deeper than ${MAX_DEPTH} levels, or contains itself`,
  );

function unstorable(value: unknown, path: string): InvalidDocumentError {
  return new InvalidDocumentError(
    path,
    `${kindOf(value)} cannot be stored: use strings, numbers, booleans, null, dates, arrays, plain objects and BSON types`,
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (Array.isArray(value)) return 'an array';
  return `an instance of ${value.constructor?.name ?? 'an unknown class'}`;
}
