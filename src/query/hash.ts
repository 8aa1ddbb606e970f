import type { Binary, BSONRegExp, Code, ObjectId, Timestamp } from 'bson';
import { Kind, kindOf } from './bson-kind.js';
import { binaryParts } from './compare.js';
import { numberText, reduceNumber } from './numeric.js';
import { objectIdText } from './object-id.js';
import { regexIdentity } from './regex-identity.js';

/** What {@link hashValue} returns: compare it with `===`, or use it as the key of a Map or Set. */
export type Hash = string | number | boolean | null;

/**
 * Turns a value into a primitive that is the same for equal values only.
 *
 * `hashValue(a) === hashValue(b)` exactly when `equalValues(a, b)`: nothing collides, so the hash
 * can stand for the value. Strings, numbers and booleans are their own hashes (a string that starts
 * with NUL excepted), everything else is a string that starts with NUL.
 */
export function hashValue(value: unknown): Hash {
  switch (typeof value) {
    case 'string':
      return value.charCodeAt(0) === 0 ? `\0${encodeValue(value)}` : value;
    case 'number':
      return Number.isNaN(value) ? '\0#NaN;' : value + 0;
    case 'boolean':
      return value;
    case 'undefined':
      return null;
  }
  return value === null ? null : hashObject(value);
}

function hashObject(value: unknown): Hash {
  const kind = kindOf(value);
  if (kind === Kind.Number) {
    const reduced = reduceNumber(value);
    return typeof reduced === 'number' ? hashValue(reduced) : `\0#${numberText(reduced)};`;
  }
  return kind === Kind.String ? hashValue(String(value)) : `\0${encodeValue(value)}`;
}

/**
 * Writes a value as text that says where it ends, so that texts may be joined without ambiguity.
 * Equal values have the same text.
 */
export function encodeValue(value: unknown): string {
  const kind = kindOf(value);
  switch (kind) {
    case Kind.Null:
      return '_';
    case Kind.Number:
      return encodeNumber(value);
    case Kind.String:
      return encodeString(String(value));
    case Kind.Boolean:
      return value ? '+' : '-';
    case Kind.ObjectId:
      return `@${objectIdText(value as ObjectId)}`;
    case Kind.Date:
      return `d${(value as Date).getTime()};`;
    case Kind.Object:
      return encodeObject(value as Record<string, unknown>);
    case Kind.Array:
      return `[${(value as unknown[]).map(encodeValue).join('')}]`;
    default:
      return `${String.fromCharCode(65 + kind)}${encodeRare(kind, value)}`;
  }
}

function encodeNumber(value: unknown): string {
  const reduced = reduceNumber(value);
  return `#${typeof reduced === 'number' ? reduced : numberText(reduced)};`;
}

function encodeString(value: string): string {
  return `${value.length}"${value}`;
}

function encodeObject(value: Record<string, unknown>): string {
  let text = '{';
  for (const name of Object.keys(value)) text += encodeString(name) + encodeValue(value[name]);
  return `${text}}`;
}

function encodeRare(kind: Kind, value: unknown): string {
  switch (kind) {
    case Kind.Binary: {
      const { bytes, subtype } = binaryParts(value as Binary | Uint8Array);
      const { buffer, byteOffset, length } = bytes;
      return `${subtype};${encodeString(Buffer.from(buffer, byteOffset, length).toString('latin1'))}`;
    }
    case Kind.Timestamp:
      return `${(value as Timestamp).toString()};`;
    case Kind.RegExp: {
      const { pattern, options } = regexIdentity(value as RegExp | BSONRegExp);
      return encodeString(pattern) + encodeString(options);
    }
    case Kind.Code:
    case Kind.CodeWithScope: {
      const { code, scope } = value as Code;
      return encodeString(String(code)) + encodeValue(scope);
    }
    default:
      return '';
  }
}
