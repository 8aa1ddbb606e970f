import { Kind, kindOf } from './bson-kind.js';
import { typeNameOf } from './bson-type-names.js';
import { compareValues, equalValues } from './compare.js';
import { isTruthy } from './match-element.js';
import { toWhole } from './number-operand.js';
import type { Place } from './place.js';

/** Gives the value of an expression for a document; `undefined` is a missing value. */
export type Evaluate = (doc: unknown) => unknown;

/** An operator of expressions: how many operands it takes, and what it makes of them. */
export interface ExpressionOperator {
  readonly arity: readonly [least: number, most: number];
  readonly combine: (operands: readonly Evaluate[], place: Place) => Evaluate;
  /** The names of the operands where they may be given by name. */
  readonly fields?: readonly string[];
}

export type OperatorTable = ReadonlyMap<string, ExpressionOperator>;

const ANY: readonly [number, number] = [0, Infinity];

/** Operators for comparison, logic, and a few on arrays and texts. */
export const OPERATORS: OperatorTable = new Map<string, ExpressionOperator>([
  ['$eq', comparison((order) => order === 0)],
  ['$ne', comparison((order) => order !== 0)],
  ['$gt', comparison((order) => order > 0)],
  ['$gte', comparison((order) => order >= 0)],
  ['$lt', comparison((order) => order < 0)],
  ['$lte', comparison((order) => order <= 0)],
  ['$cmp', comparison(Math.sign)],
  ['$and', { arity: ANY, combine: (all) => (doc) => all.every((one) => isTruthy(one(doc))) }],
  ['$or', { arity: ANY, combine: (all) => (doc) => all.some((one) => isTruthy(one(doc))) }],
  ['$not', unary((value) => !isTruthy(value))],
  ['$isArray', unary((value) => Array.isArray(value))],
  ['$type', unary((value) => (value === undefined ? 'missing' : typeNameOf(value)))],
  ['$size', unary((value, place) => asArray(value, place).length)],
  ['$cond', { arity: [3, 3], combine: cond, fields: ['if', 'then', 'else'] }],
  ['$ifNull', { arity: [2, Infinity], combine: ifNull }],
  ['$in', { arity: [2, 2], combine: isIn }],
  ['$arrayElemAt', { arity: [2, 2], combine: arrayElemAt }],
  ['$concat', { arity: ANY, combine: concat }],
]);

/** Compares as sorting does, except that a missing value is less than null. */
function compareInExpression(a: unknown, b: unknown): number {
  if (a !== undefined && b !== undefined) return compareValues(a, b);
  return missingRank(a) - missingRank(b);
}

function missingRank(value: unknown): number {
  if (value === undefined) return 1;
  return kindOf(value) === Kind.MinKey ? 0 : 2;
}

function comparison(toResult: (order: number) => unknown): ExpressionOperator {
  return {
    arity: [2, 2],
    combine:
      ([left = missing, right = missing]) =>
      (doc) =>
        toResult(compareInExpression(left(doc), right(doc))),
  };
}

function unary(apply: (value: unknown, place: Place) => unknown): ExpressionOperator {
  return {
    arity: [1, 1],
    combine:
      ([operand = missing], place) =>
      (doc) =>
        apply(operand(doc), place),
  };
}

function missing(): undefined {
  return undefined;
}

function cond([test = missing, yes = missing, no = missing]: readonly Evaluate[]): Evaluate {
  return (doc) => (isTruthy(test(doc)) ? yes(doc) : no(doc));
}

function ifNull(operands: readonly Evaluate[]): Evaluate {
  return (doc) => {
    let value: unknown;
    for (const operand of operands) {
      value = operand(doc);
      if (value !== undefined && value !== null) break;
    }
    return value;
  };
}

function isIn([member = missing, list = missing]: readonly Evaluate[], place: Place): Evaluate {
  return (doc) => {
    const value = member(doc);
    return asArray(list(doc), place).some(
      (other) => value !== undefined && equalValues(value, other),
    );
  };
}

function arrayElemAt([list = missing, at = missing]: readonly Evaluate[], place: Place): Evaluate {
  return (doc) => {
    const array = list(doc);
    if (array === undefined || array === null) return null;
    const index = toWhole(at(doc));
    return index === undefined
      ? place.fail('expected a whole number as index')
      : asArray(array, place).at(Number(index));
  };
}

function concat(operands: readonly Evaluate[], place: Place): Evaluate {
  return (doc) => {
    let text = '';
    for (const operand of operands) {
      const value = operand(doc);
      if (value === undefined || value === null) return null;
      text += typeof value === 'string' ? value : place.fail('$concat takes texts only');
    }
    return text;
  };
}

function asArray(value: unknown, place: Place): readonly unknown[] {
  return Array.isArray(value) ? value : place.fail('the operand must be an array');
}
