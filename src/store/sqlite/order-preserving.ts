import type { Binary, BSONRegExp, Code, ObjectId, Timestamp } from 'bson';
import { Kind, kindOf } from '../../query/bson-kind.js';
import { binaryParts } from '../../query/compare.js';
import { decimalOf } from '../../query/decimal.js';
import { compareNumbers, reduceNumber } from '../../query/numeric.js';
import { regexIdentity } from '../../query/regex-identity.js';
import { ByteWriter } from './byte-writer.js';

/** Bytes that compare as the values do (`compareValues`), and are equal for equal values. */
export type OrderedBytes = Uint8Array;

/** So many bytes of a value are kept in an index; values that share them are told apart by the documents. */
const INDEX_LIMIT = 512;

/** Ends documents, arrays and parts of a sort key: below every tag. */
const END = 0;
/** Follows the double below a number that is none; above every tag. */
const BETWEEN_DOUBLES = 0x80;
/** Sorts by itself, between the lowest key and null. */
const EMPTY_ARRAY = 2;

const writer = new ByteWriter();

/** The bytes of a value, whole. */
export function encodeExactly(value: unknown): OrderedBytes {
  writer.start();
  writeValue(value);
  return writer.toBuffer();
}

/** The bytes of a value as an index holds them: a lower value never has higher ones. */
export function encodeForIndex(value: unknown): OrderedBytes {
  writer.start(INDEX_LIMIT);
  writeValue(value);
  return writer.toBuffer();
}

/** True when an index may hold the same bytes for values that differ. */
export const isCut = (bytes: OrderedBytes): boolean => bytes.length === INDEX_LIMIT;

/** A string that sorts by `<` as documents with these sort keys do. */
export function encodeSortKeys(keys: readonly unknown[], directions: readonly (1 | -1)[]): string {
  writer.start();
  for (const [i, key] of keys.entries()) {
    const start = writer.length;
    writeValue(key);
    writer.byte(END);
    if (directions[i] === -1) writer.invert(start);
  }
  return writer.toLatin1();
}

/** The lowest bytes that a value of the same kind may have, and some above all of them. */
export function kindBounds(value: unknown): { first: OrderedBytes; last: OrderedBytes } {
  const tag = tagOf(kindOf(value));
  return { first: Uint8Array.of(tag), last: Uint8Array.of(tag + 1) };
}

/** Odd, and below 128. */
const tagOf = (kind: Kind): number => kind * 2 + 1;

/** How a value is written after the tag of its kind; the other kinds have only one value. */
const WRITE_BODY: { readonly [K in Kind]?: (value: never) => void } = {
  [Kind.Number]: writeNumber,
  [Kind.String]: (value: unknown) => writer.text(String(value)),
  [Kind.Object]: writeObject,
  [Kind.Array]: writeArray,
  [Kind.Binary]: writeBinary,
  [Kind.ObjectId]: (value: ObjectId) => writer.hex(value.toHexString()),
  [Kind.Boolean]: (value: boolean) => writer.byte(Number(value)),
  [Kind.Date]: (value: Date) => writer.double(value.getTime()),
  [Kind.Timestamp]: writeTimestamp,
  [Kind.RegExp]: writeRegex,
  [Kind.Code]: writeCode,
  [Kind.CodeWithScope]: writeCode,
};

function writeValue(value: unknown): void {
  // Sort keys have a symbol for an empty array.
  if (typeof value === 'symbol') writer.byte(EMPTY_ARRAY);
  else {
    const kind = kindOf(value);
    writer.byte(tagOf(kind));
    writeBody(kind, value);
  }
}

function writeBody(kind: Kind, value: unknown): void {
  WRITE_BODY[kind]?.(value as never);
}

function writeNumber(value: unknown): void {
  const reduced = reduceNumber(value);
  if (typeof reduced === 'number') writer.double(reduced);
  else writeBetweenDoubles(reduced);
}

function writeBetweenDoubles(value: Exclude<ReturnType<typeof reduceNumber>, number>): void {
  const nearest = typeof value === 'bigint' ? Number(value) : value.double;
  writer.double(nearest);
  if (compareNumbers(value, nearest) < 0) writer.decrement();
  writer.byte(BETWEEN_DOUBLES);
  const { coefficient, exponent } = decimalOf(value);
  const isNegative = coefficient < 0n;
  const digits = String(isNegative ? -coefficient : coefficient);
  const start = writer.length;
  writer.unsigned(0x8000 + exponent + digits.length, 2);
  writer.text(digits);
  if (isNegative) writer.invert(start);
}

function writeTimestamp({ high, low }: Timestamp): void {
  writer.unsigned(high >>> 0, 4);
  writer.unsigned(low >>> 0, 4);
}

function writeRegex(value: RegExp | BSONRegExp): void {
  const { pattern, options } = regexIdentity(value);
  writer.text(pattern);
  writer.text(options);
}

function writeCode({ code, scope }: Code): void {
  writer.text(String(code));
  writeValue(scope);
}

/** Field by field as they are compared: the kind of the value, the name, the value. */
function writeObject(value: Record<string, unknown>): void {
  for (const name of Object.keys(value)) {
    if (writer.isFull) return;
    const kind = kindOf(value[name]);
    writer.byte(tagOf(kind));
    writer.text(name);
    // Else the value could be taken for what follows a NUL in the name.
    writer.byte(END);
    writeBody(kind, value[name]);
  }
  writer.byte(END);
}

function writeArray(values: readonly unknown[]): void {
  for (const value of values) {
    if (writer.isFull) return;
    writeValue(value);
  }
  writer.byte(END);
}

function writeBinary(value: Binary | Uint8Array): void {
  const { bytes, subtype } = binaryParts(value);
  writer.unsigned(bytes.length, 4);
  writer.byte(subtype);
  writer.raw(bytes);
}
