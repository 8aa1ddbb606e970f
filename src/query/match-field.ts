import { isDocument } from './bson-kind.js';
import type { Condition } from './condition.js';
import { notAll } from './condition.js';
import { all, elemMatch, size } from './match-array.js';
import { eq, implicitEquality, isRegex, ne, notWithin, range, within } from './match-comparison.js';
import { exists, type } from './match-element.js';
import { bits, mod } from './match-number.js';
import { isOperatorObject } from './operator-object.js';
import type { Place } from './place.js';
import { compileRegexOperator } from './regex.js';

type CompileOperator = (operand: unknown, place: Place) => Condition;

const OPERATORS: ReadonlyMap<string, CompileOperator> = new Map<string, CompileOperator>([
  ['$eq', eq],
  ['$ne', ne],
  ['$gt', range(1, false)],
  ['$gte', range(1, true)],
  ['$lt', range(-1, false)],
  ['$lte', range(-1, true)],
  ['$in', within],
  ['$nin', notWithin],
  ['$not', not],
  ['$exists', exists],
  ['$type', type],
  ['$mod', mod],
  ['$size', size],
  ['$all', (operand, place) => all(operand, place, compileOperators)],
  ['$elemMatch', (operand, place) => elemMatch(operand, place, compileOperators)],
  ['$bitsAllSet', bits((set, wanted) => set === wanted)],
  ['$bitsAllClear', bits((set) => set === 0)],
  ['$bitsAnySet', bits((set) => set > 0)],
  ['$bitsAnyClear', bits((set, wanted) => set < wanted)],
]);

/** Compiles what stands beside a field name: a value to be equal to, or operators. */
export function compileFieldCondition(operand: unknown, place: Place): Condition {
  return isOperatorObject(operand)
    ? compileOperators(operand, place)
    : implicitEquality(operand, place);
}

/** Compiles a document of operators that must all hold, such as `{ $gte: 1, $lt: 5 }`. */
export function compileOperators(operators: Record<string, unknown>, place: Place): Condition {
  const conditions: Condition[] = [];
  for (const [name, operand] of Object.entries(operators)) {
    if (name === '$regex') {
      conditions.push(compileRegexOperator(operand, operators['$options'], place));
    } else if (name === '$options') {
      if (!Object.hasOwn(operators, '$regex')) place.fail('$options needs a $regex');
    } else {
      const compile = OPERATORS.get(name) ?? place.at(name).fail(problemWith(name));
      conditions.push(compile(operand, place.at(name)));
    }
  }
  const [only] = conditions;
  return only && conditions.length === 1 ? only : { type: 'all', conditions };
}

function not(operand: unknown, place: Place): Condition {
  if (isRegex(operand)) return notAll(implicitEquality(operand, place));
  if (!isDocument(operand) || Object.keys(operand).length === 0) {
    return place.fail('expected operators or a regular expression');
  }
  return notAll(compileOperators(operand, place));
}

function problemWith(name: string): string {
  return name.startsWith('$')
    ? `there is no operator ${name} here`
    : 'operators and fields cannot be mixed';
}
