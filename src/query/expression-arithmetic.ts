import { Kind, kindOf } from './bson-kind.js';
import type { Evaluate, ExpressionOperator, OperatorTable } from './expression-operators.js';
import { reduceNumber } from './numeric.js';
import type { Place } from './place.js';

/** A number that can be calculated with: whole ones beyond 2^53 are bigints. */
type Operand = number | bigint;

/** Operators that calculate. Null and missing operands give null. */
export const ARITHMETIC: OperatorTable = new Map<string, ExpressionOperator>([
  ['$add', { arity: [0, Infinity], combine: add }],
  ['$multiply', { arity: [0, Infinity], combine: multiply }],
  ['$subtract', { arity: [2, 2], combine: subtract }],
  ['$divide', { arity: [2, 2], combine: divide }],
  ['$mod', { arity: [2, 2], combine: remainder }],
  ['$abs', { arity: [1, 1], combine: abs }],
]);

/** Numbers are added up; one date may be among them, and then the sum is a date. */
function add(operands: readonly Evaluate[], place: Place): Evaluate {
  return (doc) => {
    let isDate = false;
    let sum: Operand = 0;
    for (const operand of operands) {
      const value = operand(doc);
      if (isNull(value)) return null;
      if (kindOf(value) === Kind.Date) {
        if (isDate) place.fail('only one date can be added');
        isDate = true;
      }
      sum = calculate(
        sum,
        toOperand(value, place),
        (a, b) => a + b,
        (a, b) => a + b,
      );
    }
    return isDate ? new Date(Number(sum)) : sum;
  };
}

function multiply(operands: readonly Evaluate[], place: Place): Evaluate {
  return (doc) => {
    let product: Operand = 1;
    for (const operand of operands) {
      const value = operand(doc);
      if (isNull(value)) return null;
      product = calculate(
        product,
        toNumber(value, place),
        (a, b) => a * b,
        (a, b) => a * b,
      );
    }
    return product;
  };
}

/** A date less a date is milliseconds, a date less a number a date. */
function subtract([left, right]: readonly Evaluate[], place: Place): Evaluate {
  return (doc) => {
    const from = left?.(doc);
    const value = right?.(doc);
    if (isNull(from) || isNull(value)) return null;
    const isDate = kindOf(from) === Kind.Date;
    const less = isDate ? toOperand(value, place) : toNumber(value, place);
    const result = calculate(
      toOperand(from, place),
      less,
      (a, b) => a - b,
      (a, b) => a - b,
    );
    return isDate && kindOf(value) !== Kind.Date ? new Date(Number(result)) : result;
  };
}

function divide(operands: readonly Evaluate[], place: Place): Evaluate {
  return binary(operands, place, (a, b) => Number(a) / Number(b));
}

function remainder(operands: readonly Evaluate[], place: Place): Evaluate {
  return binary(operands, place, (a, b) =>
    calculate(
      a,
      b,
      (x, y) => x % y,
      (x, y) => x % y,
    ),
  );
}

function abs([operand]: readonly Evaluate[], place: Place): Evaluate {
  return (doc) => {
    const value = operand?.(doc);
    if (isNull(value)) return null;
    const number = toNumber(value, place);
    return number < 0 ? -number : number;
  };
}

function binary(
  [left, right]: readonly Evaluate[],
  place: Place,
  apply: (a: Operand, b: Operand) => Operand,
): Evaluate {
  return (doc) => {
    const a = left?.(doc);
    const b = right?.(doc);
    if (isNull(a) || isNull(b)) return null;
    const divisor = toNumber(b, place);
    return divisor === 0 ? place.fail('division by zero') : apply(toNumber(a, place), divisor);
  };
}

/** Exact for whole numbers of any size, as doubles otherwise. */
function calculate(
  a: Operand,
  b: Operand,
  inDoubles: (a: number, b: number) => number,
  inBigInts: (a: bigint, b: bigint) => bigint,
): Operand {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = inDoubles(a, b);
    const isExact = Number.isSafeInteger(result) || !Number.isInteger(a) || !Number.isInteger(b);
    if (isExact || !Number.isFinite(result)) return result;
  }
  const areWhole = [a, b].every((value) => typeof value === 'bigint' || Number.isInteger(value));
  if (!areWhole) return inDoubles(Number(a), Number(b));
  const exact = inBigInts(BigInt(a), BigInt(b));
  const fits = BigInt.asIntN(64, exact) === exact && !Number.isSafeInteger(Number(exact));
  return fits ? exact : Number(exact);
}

function isNull(value: unknown): boolean {
  return value === undefined || value === null;
}

function toOperand(value: unknown, place: Place): Operand {
  return kindOf(value) === Kind.Date ? Number(value) : toNumber(value, place);
}

function toNumber(value: unknown, place: Place): Operand {
  if (kindOf(value) !== Kind.Number) return place.fail('the operands must be numbers');
  const reduced = reduceNumber(value);
  return typeof reduced === 'object'
    ? place.fail('decimals with a fraction cannot be calculated with')
    : reduced;
}
