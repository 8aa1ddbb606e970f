import { isDocument } from './bson-kind.js';
import type { Condition } from './condition.js';
import { onValue, testEach, testElement, testWhole } from './condition.js';
import { implicitEquality } from './match-comparison.js';
import { asCount } from './number-operand.js';
import { isOperatorObject } from './operator-object.js';
import type { Place } from './place.js';

/** Makes the operators of `{ $gt: 1, $lt: 5 }` into one condition; handed in to avoid a cycle. */
type CompileOperators = (operators: Record<string, unknown>, place: Place) => Condition;

/** `$size`: arrays of exactly that length. */
export function size(operand: unknown, place: Place): Condition {
  const length = asCount(operand, place, 0);
  return testWhole((value) => Array.isArray(value) && value.length === length);
}

/** `$all`: each member of the list is found; an empty list matches nothing. */
export function all(operand: unknown, place: Place, compileOperators: CompileOperators): Condition {
  if (!Array.isArray(operand)) return place.fail('expected an array');
  if (operand.length === 0) return testEach(() => false);
  const wantsElements = isElemMatch(operand[0]);
  const conditions = operand.map((member, index) => {
    const at = place.at(index);
    if (isElemMatch(member) !== wantsElements)
      at.fail('$elemMatch must stand in all places or none');
    if (isElemMatch(member)) return compileOperators(member, at);
    return isOperatorObject(member)
      ? at.fail('operators cannot stand in a list')
      : implicitEquality(member, at);
  });
  return { type: 'all', conditions };
}

/** `$elemMatch`: arrays with one element that satisfies everything. */
export function elemMatch(
  operand: unknown,
  place: Place,
  compileOperators: CompileOperators,
): Condition {
  if (!isDocument(operand)) return place.fail('expected an object');
  return testElement(elementTest(operand, place, compileOperators));
}

/** Operators ask about the element itself, anything else about its fields. */
export function elementTest(
  operand: Record<string, unknown>,
  place: Place,
  compileOperators: CompileOperators,
): (element: unknown) => boolean {
  if (isOperatorObject(operand) && !LOGICAL.has(Object.keys(operand)[0] ?? '')) {
    return onValue(compileOperators(operand, place));
  }
  const matches = place.compile(operand, place);
  return (element) => (isDocument(element) || Array.isArray(element)) && matches(element);
}

const LOGICAL: ReadonlySet<string> = new Set(['$and', '$or', '$nor']);

function isElemMatch(value: unknown): value is { readonly $elemMatch: unknown } {
  return isDocument(value) && Object.keys(value)[0] === '$elemMatch';
}
