import type { Binary, Code, ObjectId, Timestamp } from 'bson';
import { Kind, kindOf } from './bson-kind.js';
import { compareNumbers, reduceNumber } from './numeric.js';
import { compareObjectIds } from './object-id.js';
import { regexIdentity } from './regex-identity.js';

/**
 * Orders two values of any kinds as MongoDB does: by kind first, then within the kind.
 *
 * This is a total order. `undefined` is null, NaN equals itself and is the lowest number, -0 is 0,
 * numbers of all classes compare by value, strings by their UTF-8 bytes, arrays and documents
 * member by member (the order of fields counts), binary data by length, subtype and bytes.
 * Source: MongoDB manual, "Comparison/Sort Order".
 *
 * @returns A negative number, zero or a positive number, as `Array.prototype.sort` wants it.
 */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return compareDoubles(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  const kind = kindOf(a);
  const other = kindOf(b);
  return kind === other ? compareSameKind(kind, a, b) : kind - other;
}

/**
 * True when MongoDB takes two values for the same: `compareValues(a, b) === 0`.
 *
 * @param a - Any value.
 * @param b - Any value.
 */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const type = typeof a;
  if (type === typeof b && (type === 'string' || type === 'boolean')) return false;
  return compareValues(a, b) === 0;
}

const STEP = 48;

/** Orders strings by their UTF-8 bytes, which is by code point. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = lengthInCommon(a, b, length); i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return utf8Rank(left) - utf8Rank(right);
  }
  return a.length - b.length;
}

/** A length up to which long strings are equal, found in steps: comparing slices is native. */
function lengthInCommon(a: string, b: string, length: number): number {
  let same = 0;
  while (length - same > STEP && a.slice(same, same + STEP) === b.slice(same, same + STEP)) {
    same += STEP;
  }
  return same;
}

/** Where a code unit stands in UTF-8: surrogates make up the code points above U+FFFF. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}

/** Compares two values that are both of the kind given. */
export function compareSameKind(kind: Kind, a: unknown, b: unknown): number {
  switch (kind) {
    case Kind.MinKey:
    case Kind.MaxKey:
    case Kind.Null:
      return 0;
    case Kind.Number:
      return compareNumbers(reduceNumber(a), reduceNumber(b));
    case Kind.String:
      return compareStrings(String(a), String(b));
    case Kind.Object:
      return compareObjects(a as Record<string, unknown>, b as Record<string, unknown>);
    case Kind.Array:
      return compareArrays(a as unknown[], b as unknown[]);
    case Kind.Binary:
      return compareBinaries(a as Binary | Uint8Array, b as Binary | Uint8Array);
    case Kind.ObjectId:
      return compareObjectIds(a as ObjectId, b as ObjectId);
    case Kind.Boolean:
      return Number(a) - Number(b);
    case Kind.Date:
      return compareDoubles((a as Date).getTime(), (b as Date).getTime());
    case Kind.Timestamp:
      return (a as Timestamp).compare(b as Timestamp);
    case Kind.RegExp:
      return compareRegexes(a as RegExp, b as RegExp);
    case Kind.Code:
    case Kind.CodeWithScope:
      return compareCode(a as Code, b as Code);
  }
}

/** Field by field: the kind of the value first, then the name, then the value. */
function compareObjects(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const names = Object.keys(a);
  const others = Object.keys(b);
  const length = Math.min(names.length, others.length);
  for (let i = 0; i < length; i++) {
    const name = names[i] as string;
    const other = others[i] as string;
    const left = a[name];
    const right = b[other];
    const order =
      name === other
        ? compareValues(left, right)
        : kindOf(left) - kindOf(right) || compareStrings(name, other);
    if (order !== 0) return order;
  }
  return names.length - others.length;
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** The bytes of binary data in either form, and its subtype; a Buffer has subtype 0. */
export function binaryParts(value: Binary | Uint8Array): { bytes: Uint8Array; subtype: number } {
  if (value instanceof Uint8Array) return { bytes: value, subtype: 0 };
  const { buffer, position, sub_type: subtype } = value;
  return { bytes: buffer.length === position ? buffer : buffer.subarray(0, position), subtype };
}

function compareBinaries(a: Binary | Uint8Array, b: Binary | Uint8Array): number {
  const left = binaryParts(a);
  const right = binaryParts(b);
  return (
    left.bytes.length - right.bytes.length ||
    left.subtype - right.subtype ||
    Buffer.compare(left.bytes, right.bytes)
  );
}

function compareRegexes(a: RegExp, b: RegExp): number {
  const left = regexIdentity(a);
  const right = regexIdentity(b);
  return compareStrings(left.pattern, right.pattern) || compareAscii(left.options, right.options);
}

function compareCode(a: Code, b: Code): number {
  const order = compareStrings(String(a.code), String(b.code));
  return order || compareValues(a.scope, b.scope);
}

function compareAscii(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
