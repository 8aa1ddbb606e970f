import { Kind, kindOf } from './bson-kind.js';
import type { TypeName } from './bson-type-names.js';
import { TYPE_NUMBERS, typeNameOf } from './bson-type-names.js';
import { equalValues } from './compare.js';
import type { Condition } from './condition.js';
import { notAll, testEach } from './condition.js';
import { toWhole } from './number-operand.js';
import type { Place } from './place.js';

const NUMBER_TYPES = ['int', 'long', 'double', 'decimal'] as const;

/** `$exists`: something is there, be it null; any operand but false, 0 and null means true. */
export function exists(operand: unknown): Condition {
  const isThere = testEach((value) => value !== undefined);
  return isTruthy(operand) ? isThere : notAll(isThere);
}

/** `$type`: the value, or an element of the array, has one of the BSON types. */
export function type(operand: unknown, place: Place): Condition {
  const list = Array.isArray(operand) ? operand : [operand];
  if (list.length === 0) return place.fail('expected at least one type');
  const names = new Set(list.flatMap((member) => typeNames(member, place)));
  return testEach((value) => value !== undefined && names.has(typeNameOf(value)));
}

/** Truth as MongoDB reads it: empty strings, documents and arrays are true. */
export function isTruthy(value: unknown): boolean {
  const kind = kindOf(value);
  if (kind === Kind.Null) return false;
  if (kind === Kind.Boolean) return value === true;
  return kind !== Kind.Number || !equalValues(value, 0);
}

function typeNames(member: unknown, place: Place): readonly TypeName[] {
  if (member === 'number') return NUMBER_TYPES;
  const number = toWhole(member);
  for (const [name, code] of Object.entries(TYPE_NUMBERS)) {
    if (member === name || number === code) return [name as TypeName];
  }
  return place.fail(`${String(member)} is not a BSON type`);
}
