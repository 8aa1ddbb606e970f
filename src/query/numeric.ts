import type { Decimal128, Long } from 'bson';
import type { Decimal } from './decimal.js';
import { compareDecimals, decimalOf, reduceDecimal } from './decimal.js';

/** A numeric value of any kind, reduced to the simplest form that says it exactly. */
type Numeric = number | bigint | Decimal;

type NumericObject =
  | { readonly _bsontype: 'Int32' | 'Double'; readonly value: number }
  | (Long & { readonly _bsontype: 'Long' })
  | (Decimal128 & { readonly _bsontype: 'Decimal128' });

/**
 * Reduces a number of any kind: whatever a double says exactly becomes a `number` (never -0),
 * other whole numbers become a `bigint`, the rest is a decimal.
 *
 * Two values are equal when their reduced forms are.
 */
export function reduceNumber(value: unknown): Numeric {
  if (typeof value === 'number') return value + 0;
  if (typeof value === 'bigint') return reduceBigInt(value);
  const object = value as NumericObject;
  switch (object._bsontype) {
    case 'Long':
      return reduceLong(object);
    case 'Decimal128':
      return reduceDecimal(object);
    default:
      return object.value + 0;
  }
}

/** Compares two reduced numbers by value; NaN equals itself and comes before all others. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if (typeof a === 'object' || typeof b === 'object') return compareDecimals(a, b);
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}

/** A text that says a reduced number which is not a `number`, each value in one way only. */
export function numberText(value: bigint | Decimal): string {
  const { coefficient, exponent } = decimalOf(value);
  return `${coefficient}e${exponent}`;
}

function reduceBigInt(value: bigint): number | bigint {
  const double = Number(value);
  return Number.isFinite(double) && BigInt(double) === value ? double : value;
}

function reduceLong(value: Long): number | bigint {
  const { high, low } = value;
  const double = (value.unsigned ? high >>> 0 : high) * 0x1_0000_0000 + (low >>> 0);
  return Number.isSafeInteger(double) ? double : reduceBigInt(value.toBigInt());
}
