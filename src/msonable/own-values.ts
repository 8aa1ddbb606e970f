import { types } from 'node:util';
import type { ObjectId } from 'bson';
import { Binary, EJSON, UUID } from 'bson';
import { SerializationError } from '../errors/serialization-errors.js';
import { toPythonDatetime } from './datetime.js';
import type { PlainRecord, PlainValue } from './plain-value.js';
import { childPath } from './plain-value.js';

/** The `@module` of values that Python lacks. There is no such module there, so that Python fails loudly. */
export const OWN_VALUES = 'maggma_ts.values';

/** A tagged value of this library. */
export function ownTag(name: string, body: PlainRecord): PlainRecord {
  return { '@module': OWN_VALUES, '@class': name, ...body };
}

/** Encodes what a value contains; given by the encoder. */
export type EncodeItem = (item: unknown, path: string) => PlainValue;

/**
 * The tagged form of a value that is neither plain nor an MSONable object.
 *
 * Dates, ObjectIds and UUIDs are written as monty (Python) writes them, all else under {@link OWN_VALUES}.
 *
 * @returns The tagged form, or undefined for an object of an unknown kind.
 */
export function encodeSpecial(
  value: object,
  path: string,
  encodeItem: EncodeItem,
): PlainRecord | undefined {
  if (types.isDate(value)) return encodeDate(value, path);
  if (typeof (value as { _bsontype?: unknown })._bsontype === 'string')
    return encodeBson(value as { _bsontype: string }, path);
  if (types.isRegExp(value)) return ownTag('RegExp', { source: value.source, flags: value.flags });
  if (types.isMap(value)) {
    const data = [...value].map(([key, item], i) => {
      const pair = childPath(childPath(path, 'data'), i);
      return [encodeItem(key, childPath(pair, 0)), encodeItem(item, childPath(pair, 1))];
    });
    return ownTag('Map', { data });
  }
  if (types.isSet(value)) {
    const items = childPath(path, 'data');
    return ownTag('Set', {
      data: [...value].map((item, i) => encodeItem(item, childPath(items, i))),
    });
  }
  if (ArrayBuffer.isView(value)) {
    const name = Buffer.isBuffer(value) ? 'Buffer' : (value[Symbol.toStringTag as never] as string);
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return ownTag(name, { base64: bytes.toString('base64') });
  }
  if (types.isArrayBuffer(value))
    return ownTag('ArrayBuffer', { base64: Buffer.from(value).toString('base64') });
  if (value instanceof URL) return ownTag('URL', { string: value.href });
  return undefined;
}

function encodeDate(date: Date, path: string): PlainRecord {
  if (Number.isNaN(date.getTime()))
    throw new SerializationError(path, 'An invalid Date cannot be written: expected a real one');
  const string = toPythonDatetime(date);
  if (string === null) return ownTag('Date', { ms: date.getTime() });
  return { '@module': 'datetime', '@class': 'datetime', string };
}

function encodeBson(value: { _bsontype: string }, path: string): PlainRecord {
  if (value._bsontype === 'ObjectId')
    return {
      '@module': 'bson.objectid',
      '@class': 'ObjectId',
      oid: (value as unknown as ObjectId).toHexString(),
    };
  if (isUuid(value))
    return { '@module': 'uuid', '@class': 'UUID', string: value.toHexString(true) };
  try {
    const { v } = EJSON.serialize({ v: value }, { relaxed: false }) as { v: PlainValue };
    return ownTag(value._bsontype, { ejson: v });
  } catch (cause) {
    throw new SerializationError(path, `A BSON ${value._bsontype} could not be written`, { cause });
  }
}

/** Also a UUID of another copy of the bson package. */
function isUuid(value: object): value is UUID {
  return value instanceof UUID || Object.getPrototypeOf(value)?.constructor?.name === 'UUID';
}

const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/** Decodes what a value contains; given by the decoder. */
export type DecodeItems = (items: PlainValue) => unknown;

type OwnDecoder = (body: PlainRecord, decodeItems: DecodeItems) => unknown;

const bytesOf = (body: PlainRecord): Buffer => Buffer.from(textOf(body, 'base64'), 'base64');

const OWN_DECODERS: ReadonlyMap<string, OwnDecoder> = new Map<string, OwnDecoder>([
  ['Date', (body) => new Date(Number(body['ms']))],
  ['RegExp', (body) => new RegExp(textOf(body, 'source'), textOf(body, 'flags'))],
  ['Map', (body, items) => new Map(items(listOf(body)) as [unknown, unknown][])],
  ['Set', (body, items) => new Set(items(listOf(body)) as unknown[])],
  ['Buffer', bytesOf],
  ['ArrayBuffer', (body) => Uint8Array.from(bytesOf(body)).buffer],
  ['DataView', (body) => new DataView(Uint8Array.from(bytesOf(body)).buffer)],
  ['URL', (body) => new URL(textOf(body, 'string'))],
  ...TYPED_ARRAYS.map((Type): [string, OwnDecoder] => [
    Type.name,
    (body) => new Type(Uint8Array.from(bytesOf(body)).buffer),
  ]),
  ...[
    'BSONRegExp',
    'BSONSymbol',
    'Binary',
    'Code',
    'DBRef',
    'Decimal128',
    'Double',
    'Int32',
    'Long',
    'MaxKey',
    'MinKey',
    'Timestamp',
  ].map((name): [string, OwnDecoder] => [name, (body) => bsonOf(name, body)]),
]);

function bsonOf(name: string, body: PlainRecord): unknown {
  const wrapped = { v: body['ejson'] } as never;
  // Exact, or a Long would become a number; but what a Code or a DBRef holds was numbers.
  const relaxed = name === 'Code' || name === 'DBRef';
  const { v } = EJSON.deserialize(wrapped, { relaxed }) as { v: unknown };
  // A Binary of subtype 4 is read as a UUID; it was written as a Binary.
  const value = v instanceof UUID ? new Binary(v.buffer, Binary.SUBTYPE_UUID) : v;
  if ((value as { _bsontype?: unknown } | undefined)?._bsontype !== name)
    throw new TypeError(`expected "ejson" to hold a ${name}`);
  return value;
}

function textOf(body: PlainRecord, key: string): string {
  const value = body[key];
  if (typeof value !== 'string') throw new TypeError(`expected "${key}" to be a string`);
  return value;
}

function listOf(body: PlainRecord): PlainValue[] {
  const { data } = body;
  if (!Array.isArray(data)) throw new TypeError('expected "data" to be a list');
  return data;
}

/** The decoder of a value that {@link encodeSpecial} wrote under {@link OWN_VALUES}. */
export function ownDecoder(name: string): OwnDecoder | undefined {
  return OWN_DECODERS.get(name);
}
