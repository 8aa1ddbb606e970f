import { bsonTypeOf, Kind, kindOf } from './bson-kind.js';

/** The names that `$type` takes, with the numbers that mean the same. */
export const TYPE_NUMBERS = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
} as const;
export type TypeName = keyof typeof TYPE_NUMBERS;

const NAME_OF_KIND: Readonly<Record<Kind, TypeName>> = {
  [Kind.MinKey]: 'minKey',
  [Kind.Null]: 'null',
  [Kind.Number]: 'double',
  [Kind.String]: 'string',
  [Kind.Object]: 'object',
  [Kind.Array]: 'array',
  [Kind.Binary]: 'binData',
  [Kind.ObjectId]: 'objectId',
  [Kind.Boolean]: 'bool',
  [Kind.Date]: 'date',
  [Kind.Timestamp]: 'timestamp',
  [Kind.RegExp]: 'regex',
  [Kind.Code]: 'javascript',
  [Kind.CodeWithScope]: 'javascriptWithScope',
  [Kind.MaxKey]: 'maxKey',
};

const NAME_OF_NUMBER_CLASS: Readonly<Record<string, TypeName>> = {
  Int32: 'int',
  Double: 'double',
  Long: 'long',
  Decimal128: 'decimal',
};

/**
 * The BSON type that a value is stored with.
 *
 * A JavaScript number is an `int` when it is whole and fits into 32 bits, else a `double`, as the
 * drivers write it.
 */
export function typeNameOf(value: unknown): TypeName {
  const kind = kindOf(value);
  if (kind === Kind.Number) return numberTypeOf(value);
  if (kind === Kind.String && typeof value !== 'string') return 'symbol';
  return NAME_OF_KIND[kind];
}

function numberTypeOf(value: unknown): TypeName {
  if (typeof value === 'bigint') return 'long';
  if (typeof value === 'number') {
    return (value | 0) === value && !Object.is(value, -0) ? 'int' : 'double';
  }
  return NAME_OF_NUMBER_CLASS[bsonTypeOf(value as object) ?? ''] ?? 'double';
}
