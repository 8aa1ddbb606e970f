import { Kind, kindOf } from './bson-kind.js';
import { compareSameKind, compareStrings, compareValues } from './compare.js';
import type { Condition } from './condition.js';
import { notAll, testEach } from './condition.js';
import { hashValue } from './hash.js';
import { isOperatorObject } from './operator-object.js';
import type { ValueTest } from './path.js';
import type { Place } from './place.js';
import { compileRegex } from './regex.js';

/** A value as condition: a regular expression is searched for, anything else must be equal. */
export function implicitEquality(operand: unknown, place: Place): Condition {
  return testEach(isRegex(operand) ? compileRegex(operand, place) : equalTo(operand));
}

/** `$eq`: equality, also with regular expressions. */
export function eq(operand: unknown): Condition {
  return testEach(equalTo(operand));
}

/** `$ne`: no value at the path is equal. */
export function ne(operand: unknown, place: Place): Condition {
  return notAll(eq(notRegex(operand, place)));
}

/** `$in`: one of the values, or found by one of the regular expressions. */
export function within(operand: unknown, place: Place): Condition {
  return testEach(equalToAny(asList(operand, place), place));
}

/** `$nin`: no value at the path is in the list. */
export function notWithin(operand: unknown, place: Place): Condition {
  return notAll(within(operand, place));
}

/** `$gt`, `$gte`, `$lt`, `$lte`: values of the operand's kind on one side of it. */
export const range =
  (side: 1 | -1, inclusive: boolean) =>
  (operand: unknown, place: Place): Condition =>
    testEach(rangeTest(notRegex(operand, place), side, inclusive));

/** True for both classes of regular expressions. */
export function isRegex(value: unknown): value is RegExp {
  return kindOf(value) === Kind.RegExp;
}

function notRegex(operand: unknown, place: Place): unknown {
  return isRegex(operand) ? place.fail('a regular expression cannot be compared with') : operand;
}

function asList(operand: unknown, place: Place): readonly unknown[] {
  return Array.isArray(operand) ? operand : place.fail('expected an array');
}

function equalTo(operand: unknown): ValueTest {
  const kind = kindOf(operand);
  if (kind === Kind.Null) return (value) => value === undefined || value === null;
  if (typeof operand === 'boolean') return (value) => value === operand;
  if (typeof operand === 'string' || (typeof operand === 'number' && !Number.isNaN(operand))) {
    return (value) =>
      value === operand || (typeof value !== typeof operand && isSame(kind, value, operand));
  }
  return (value) => isSame(kind, value, operand);
}

/** Equality where the values may be of different classes; plain ones are out quickly. */
function isSame(kind: Kind, value: unknown, operand: unknown): boolean {
  return kindOf(value) === kind && compareSameKind(kind, value, operand) === 0;
}

function equalToAny(list: readonly unknown[], place: Place): ValueTest {
  const kinds = new Set<Kind>();
  const hashes = new Set<unknown>();
  const searches: ValueTest[] = [];
  for (const [index, member] of list.entries()) {
    if (isRegex(member)) searches.push(compileRegex(member, place.at(index)));
    else if (isOperatorObject(member)) place.at(index).fail('operators cannot stand in a list');
    else {
      kinds.add(kindOf(member));
      hashes.add(hashValue(member));
    }
  }
  // Hashing a document costs its size: kinds that are not in the list are out before.
  const isMember: ValueTest = (value) =>
    typeof value === 'object' && value !== null
      ? kinds.has(kindOf(value)) && hashes.has(hashValue(value))
      : hashes.has(hashValue(value));
  if (searches.length === 0) return isMember;
  return (value) => isMember(value) || searches.some((search) => search(value));
}

function rangeTest(operand: unknown, side: 1 | -1, inclusive: boolean): ValueTest {
  const kind = kindOf(operand);
  if (typeof operand === 'string') return stringRange(operand, side, inclusive);
  if (kind === Kind.Number) return numberRange(operand, side, inclusive);
  // The two ends of the order are the only operands that values of other kinds compare with.
  if (kind === Kind.MinKey || kind === Kind.MaxKey) {
    return (value) => holds(compareValues(value, operand) * side, inclusive);
  }
  return (value) =>
    kindOf(value) === kind && holds(compareValues(value, operand) * side, inclusive);
}

function holds(order: number, inclusive: boolean): boolean {
  return order > 0 || (inclusive && order === 0);
}

function stringRange(operand: string, side: 1 | -1, inclusive: boolean): ValueTest {
  return (value) =>
    typeof value === 'string'
      ? holds(compareStrings(value, operand) * side, inclusive)
      : kindOf(value) === Kind.String && holds(compareValues(value, operand) * side, inclusive);
}

/** NaN is only equal to itself; nothing is below or above it. */
function numberRange(operand: unknown, side: 1 | -1, inclusive: boolean): ValueTest {
  if (hashValue(operand) === hashValue(Number.NaN))
    return inclusive ? equalTo(operand) : () => false;
  const isAbove: ValueTest = (value) =>
    hashValue(value) !== hashValue(Number.NaN) &&
    holds(compareValues(value, operand) * side, inclusive);
  if (typeof operand !== 'number')
    return (value) => kindOf(value) === Kind.Number && isAbove(value);
  return (value) => {
    if (typeof value !== 'number') return kindOf(value) === Kind.Number && isAbove(value);
    if (inclusive && value === operand) return true;
    return side > 0 ? value > operand : value < operand;
  };
}
