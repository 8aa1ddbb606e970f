import { Binary, Code, DBRef, Decimal128, EJSON, Long, ObjectId, UUID } from 'bson';
import type { Doc } from '../../query/document.js';

/** A value that JSON has, in place of one that it has not, and a letter that says which it was. */
interface StandIn {
  readonly code: string;
  readonly value: unknown;
  /** The stand-in may hold more values that JSON lacks. */
  readonly isNested?: boolean;
}

/** True for the numbers that JSON has. */
export const isJsonNumber = (value: number): boolean =>
  Number.isFinite(value) && !Object.is(value, -0);

/** Finds the stand-in for a number, or an object that is neither a plain one nor an array. */
export function toStandIn(value: object | number): StandIn {
  if (typeof value === 'number')
    return { code: 'n', value: Object.is(value, -0) ? '-0' : String(value) };
  if (value instanceof Date) return { code: 'd', value: value.getTime() };
  if (value instanceof RegExp) return { code: 'r', value: [value.source, value.flags] };
  switch ((value as { readonly _bsontype?: unknown })._bsontype) {
    case 'ObjectId':
      return { code: 'o', value: (value as ObjectId).toHexString() };
    case 'Long':
      return { code: (value as Long).unsigned ? 'L' : 'l', value: (value as Long).toString() };
    case 'Decimal128':
      return { code: 'm', value: (value as Decimal128).toString() };
    case 'Binary':
      return binaryStandIn(value as Binary);
    case 'Code':
      return { code: 'c', value: [(value as Code).code, (value as Code).scope], isNested: true };
    case 'DBRef': {
      const { collection, oid, db = null, fields } = value as DBRef;
      return { code: 'f', value: [collection, oid, db, fields], isNested: true };
    }
    default:
      return { code: 'e', value: EJSON.serialize(value, { relaxed: false }) };
  }
}

function binaryStandIn(value: Binary): StandIn {
  const bytes = Buffer.from(value.buffer.subarray(0, value.position));
  return value.sub_type === Binary.SUBTYPE_UUID && bytes.length === 16
    ? { code: 'u', value: bytes.toString('hex') }
    : { code: 'b', value: [value.sub_type, bytes.toString('base64')] };
}

/** Makes the value that a stand-in stands for. */
export function fromStandIn(code: string, value: unknown): unknown {
  switch (code) {
    case 'o':
      return new ObjectId(value as string);
    case 'd':
      return new Date(value as number);
    case 'n':
      return Number(value);
    case 'l':
    case 'L':
      return Long.fromString(value as string, code === 'L');
    case 'm':
      return Decimal128.fromString(value as string);
    case 'u':
      return new UUID(value as string);
    case 'b': {
      const [subtype, base64] = value as [number, string];
      return new Binary(Uint8Array.from(Buffer.from(base64, 'base64')), subtype);
    }
    case 'r': {
      const [source, flags] = value as [string, string];
      return new RegExp(source, flags);
    }
    case 'c': {
      const [text, scope] = value as [string, Doc | null];
      return new Code(text, scope);
    }
    case 'f': {
      const [collection, oid, db, fields] = value as [string, ObjectId, string | null, Doc];
      return new DBRef(collection, oid, db ?? undefined, fields);
    }
    default:
      return EJSON.deserialize(value as object, { relaxed: false });
  }
}
