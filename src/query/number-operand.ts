import { Kind, kindOf } from './bson-kind.js';
import { reduceNumber } from './numeric.js';
import type { Place } from './place.js';

/** A number of any class as whole double or bigint; `undefined` for what is no whole number. */
export function toWhole(value: unknown): number | bigint | undefined {
  if (kindOf(value) !== Kind.Number) return undefined;
  const reduced = reduceNumber(value);
  if (typeof reduced === 'object') return undefined;
  return typeof reduced === 'bigint' || Number.isInteger(reduced) ? reduced : undefined;
}

/** A whole number of 64 bits; `undefined` for anything else. */
export function toInt64(value: unknown): bigint | undefined {
  const whole = toWhole(value);
  if (whole === undefined) return undefined;
  const wide = BigInt(whole);
  return BigInt.asIntN(64, wide) === wide ? wide : undefined;
}

/** The operand of an operator that wants a whole number from `least` on. */
export function asCount(operand: unknown, place: Place, least: number): number {
  const whole = toWhole(operand);
  if (whole === undefined) return place.fail('expected a whole number');
  return whole < least ? place.fail(`expected at least ${least}, got ${whole}`) : Number(whole);
}
