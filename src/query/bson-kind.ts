import { isDate, isRegExp, isUint8Array } from 'node:util/types';

/**
 * The kinds of values that compare with each other, numbered in BSON's sort order
 * (MongoDB manual: "Comparison/Sort Order").
 */
export const Kind = {
  MinKey: 0,
  Null: 1,
  Number: 2,
  String: 3,
  Object: 4,
  Array: 5,
  Binary: 6,
  ObjectId: 7,
  Boolean: 8,
  Date: 9,
  Timestamp: 10,
  RegExp: 11,
  Code: 12,
  CodeWithScope: 13,
  MaxKey: 14,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** What instances of classes of the `bson` package call themselves, for any version of it. */
const KIND_OF_BSON_TYPE: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  ['MinKey', Kind.MinKey],
  ['Int32', Kind.Number],
  ['Double', Kind.Number],
  ['Long', Kind.Number],
  ['Decimal128', Kind.Number],
  ['BSONSymbol', Kind.String],
  ['Symbol', Kind.String],
  ['DBRef', Kind.Object],
  ['Binary', Kind.Binary],
  ['ObjectId', Kind.ObjectId],
  ['ObjectID', Kind.ObjectId],
  ['Timestamp', Kind.Timestamp],
  ['BSONRegExp', Kind.RegExp],
  ['Code', Kind.Code],
  ['MaxKey', Kind.MaxKey],
]);

/**
 * Which kind a value is of; `undefined` counts as null, as it does in a stored document.
 *
 * Instances of classes that BSON does not know are objects: their own fields count.
 */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return Kind.Number;
    case 'string':
      return Kind.String;
    case 'boolean':
      return Kind.Boolean;
    case 'undefined':
      return Kind.Null;
    case 'object':
      return value === null ? Kind.Null : kindOfObject(value);
    default:
      return Kind.Code;
  }
}

/** The name that classes of the `bson` package carry, or `undefined` for anything else. */
export function bsonTypeOf(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return undefined;
  const type: unknown = prototype._bsontype;
  return typeof type === 'string' ? type : undefined;
}

/** True for nested documents: not arrays, not dates, not values such as ObjectIds. */
export function isDocument(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return kindOfObject(value) === Kind.Object;
}

function kindOfObject(value: object): Kind {
  if (Array.isArray(value)) return Kind.Array;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return Kind.Object;
  if (prototype === Date.prototype) return Kind.Date;
  const type: unknown = prototype._bsontype;
  if (typeof type === 'string') {
    const kind = KIND_OF_BSON_TYPE.get(type) ?? Kind.Object;
    return kind === Kind.Code && (value as { scope?: unknown }).scope ? Kind.CodeWithScope : kind;
  }
  if (isDate(value)) return Kind.Date;
  if (isRegExp(value)) return Kind.RegExp;
  return isUint8Array(value) ? Kind.Binary : Kind.Object;
}
