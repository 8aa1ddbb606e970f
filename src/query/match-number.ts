import type { Binary } from 'bson';
import { Kind, kindOf } from './bson-kind.js';
import { binaryParts } from './compare.js';
import type { Condition } from './condition.js';
import { testEach } from './condition.js';
import { asCount, toInt64 } from './number-operand.js';
import { reduceNumber } from './numeric.js';
import type { Place } from './place.js';

/** `$mod: [divisor, remainder]`: numbers are cut to whole ones; the sign is the dividend's. */
export function mod(operand: unknown, place: Place): Condition {
  if (!Array.isArray(operand) || operand.length !== 2) {
    return place.fail('expected [divisor, remainder]');
  }
  const divisor = truncate(operand[0]) ?? place.at(0).fail('expected a finite number');
  const remainder = truncate(operand[1]) ?? place.at(1).fail('expected a finite number');
  if (divisor === 0n) place.at(0).fail('the divisor is 0');
  return testEach((value) => {
    const whole = truncate(value);
    return whole !== undefined && whole % divisor === remainder;
  });
}

/** `$bitsAllSet` and its relatives: compares how many of the wanted bits are set. */
export const bits =
  (isMatch: (set: number, wanted: number) => boolean) =>
  (operand: unknown, place: Place): Condition => {
    const positions = bitPositions(operand, place);
    return testEach((value) => {
      const isSet = bitReader(value);
      if (!isSet) return false;
      let set = 0;
      for (const position of positions) if (isSet(position)) set++;
      return isMatch(set, positions.length);
    });
  };

/** Towards zero; `undefined` when it is no number, not finite, or does not fit into 64 bits. */
function truncate(value: unknown): bigint | undefined {
  if (kindOf(value) !== Kind.Number) return undefined;
  const reduced = reduceNumber(value);
  if (typeof reduced === 'number') {
    return Number.isFinite(reduced) ? toInt64(Math.trunc(reduced)) : undefined;
  }
  if (typeof reduced === 'bigint') return toInt64(reduced);
  const { coefficient, exponent } = reduced;
  if (exponent < -40) return 0n;
  return exponent < 0 ? toInt64(coefficient / 10n ** BigInt(-exponent)) : undefined;
}

function bitPositions(operand: unknown, place: Place): readonly number[] {
  if (Array.isArray(operand)) {
    return operand.map((position, index) => asCount(position, place.at(index), 0));
  }
  const isSet = bitReader(operand);
  if (!isSet || (kindOf(operand) === Kind.Number && isSet(63))) {
    return place.fail('expected a bit mask: a whole number from 0, binary data or bit positions');
  }
  const length = kindOf(operand) === Kind.Binary ? 8 * bytesOf(operand).length : 63;
  return Array.from({ length }, (_, position) => position).filter(isSet);
}

/** Tells which bits of a value are set; negative numbers have all the higher ones. */
function bitReader(value: unknown): ((position: number) => boolean) | undefined {
  if (kindOf(value) === Kind.Binary) {
    const bytes = bytesOf(value);
    return (position) => (((bytes[position >> 3] ?? 0) >> (position & 7)) & 1) === 1;
  }
  const whole = toInt64(value);
  if (whole === undefined) return undefined;
  return (position) => ((whole >> BigInt(Math.min(position, 63))) & 1n) === 1n;
}

function bytesOf(value: unknown): Uint8Array {
  return binaryParts(value as Binary | Uint8Array).bytes;
}
