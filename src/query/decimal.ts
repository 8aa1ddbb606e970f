import type { Decimal128 } from 'bson';

/** A finite number as `coefficient * 10 ** exponent`, the coefficient without zeros at its end. */
export interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
  /** The double next to it; infinite beyond what doubles reach. */
  readonly double: number;
}

const MAX_COEFFICIENT = 10n ** 34n - 1n;
const EXPONENT_BIAS = 6176;
/** The powers of ten that doubles say exactly. */
const EXACT_POWER = 22;

/**
 * Reads a Decimal128: as a `number` what a double says, as a `bigint` other whole numbers of
 * moderate size, as a decimal the rest.
 */
export function reduceDecimal({ bytes }: Decimal128): number | bigint | Decimal {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const top = view.getUint32(12, true);
  const isNegative = top >>> 31 === 1;
  const head = (top >>> 26) & 31;
  if (head === 31) return Number.NaN;
  if (head === 30) return isNegative ? -Infinity : Infinity;
  // Coefficients of the form that starts with 11 are above 34 digits: IEEE 754 reads them as 0.
  if (head >= 24) return 0;
  const exponent = ((top >>> 17) & 0x3fff) - EXPONENT_BIAS;
  const high = view.getUint32(4, true);
  if ((top & 0x1ffff) === 0 && view.getUint32(8, true) === 0 && high < 0x20_0000) {
    const digits = high * 0x1_0000_0000 + view.getUint32(0, true);
    return reduceShort(isNegative ? -digits : digits, exponent);
  }
  const upper = (BigInt(top & 0x1ffff) << 32n) | BigInt(view.getUint32(8, true));
  const digits = (upper << 64n) | view.getBigUint64(0, true);
  return digits > MAX_COEFFICIENT ? 0 : reduceLong(isNegative ? -digits : digits, exponent);
}

/** Orders reduced numbers of which at least one is a decimal. */
export function compareDecimals(
  a: number | bigint | Decimal,
  b: number | bigint | Decimal,
): number {
  const left = typeof a === 'object' ? a.double : Number(a);
  const right = typeof b === 'object' ? b.double : Number(b);
  // Rounding to doubles keeps the order, unless both become the same one.
  if (left < right) return -1;
  if (left > right) return 1;
  if (Number.isNaN(left)) return -1;
  if (Number.isNaN(right)) return 1;
  // Only a number itself is infinite, a decimal merely rounds to it.
  if (typeof a === 'number' && !Number.isFinite(a)) return a > 0 ? 1 : -1;
  if (typeof b === 'number' && !Number.isFinite(b)) return b > 0 ? -1 : 1;
  return compareExactly(decimalOf(a), decimalOf(b));
}

/** A finite number as decimal. */
export function decimalOf(value: number | bigint | Decimal): Decimal {
  if (typeof value === 'object') return value;
  if (typeof value === 'number') return decimalOfDouble(value);
  return normalize(value, 0);
}

/** For coefficients below 2^53; what doubles can calculate is calculated in doubles. */
function reduceShort(digits: number, exponent: number): number | bigint | Decimal {
  if (digits === 0) return 0;
  let short = digits;
  let power = exponent;
  while (short % 10 === 0) {
    short /= 10;
    power += 1;
  }
  if (power < 0 && power >= -EXACT_POWER) {
    const double = short / 10 ** -power;
    // A fraction in lowest terms is a double when its denominator is a power of two.
    if (short % 5 ** -power === 0) return double;
    return { coefficient: BigInt(short), exponent: power, double };
  }
  if (power >= 0 && power <= EXACT_POWER) {
    const whole = short * 10 ** power;
    if (Number.isSafeInteger(whole)) return whole;
  }
  return reduceLong(BigInt(short), power);
}

function reduceLong(digits: bigint, exponent: number): number | bigint | Decimal {
  if (digits === 0n) return 0;
  const decimal = normalize(digits, exponent);
  const { double } = decimal;
  if (Number.isFinite(double) && double !== 0) {
    const back = decimalOfDouble(double);
    if (back.coefficient === decimal.coefficient && back.exponent === decimal.exponent) {
      return double;
    }
  }
  if (decimal.exponent < 0 || decimal.exponent > 34) return decimal;
  return decimal.coefficient * 10n ** BigInt(decimal.exponent);
}

/**
 * A finite double as decimal, rounded to the 34 digits that Decimal128 has. MongoDB compares
 * doubles with decimals in this form, and no two doubles share one.
 */
function decimalOfDouble(value: number): Decimal {
  if (Number.isInteger(value) && Math.abs(value) < 1e33) return normalize(BigInt(value), 0);
  const [mantissa = '', exponent = '0'] = value.toExponential(33).split('e');
  return normalize(BigInt(mantissa.replace('.', '')), Number(exponent) - 33);
}

function normalize(digits: bigint, power: number): Decimal {
  let coefficient = digits;
  let exponent = coefficient === 0n ? 0 : power;
  while (coefficient !== 0n && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent += 1;
  }
  return { coefficient, exponent, double: Number(`${coefficient}e${exponent}`) };
}

function compareExactly(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.coefficient * 10n ** BigInt(a.exponent - exponent);
  const right = b.coefficient * 10n ** BigInt(b.exponent - exponent);
  return left < right ? -1 : Number(left > right);
}
