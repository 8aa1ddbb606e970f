import { setOwn } from '../util/set-own.js';
import { isDocument } from './bson-kind.js';
import { ARITHMETIC } from './expression-arithmetic.js';
import type { Evaluate, OperatorTable } from './expression-operators.js';
import { OPERATORS } from './expression-operators.js';
import { readFieldPath } from './field-path.js';
import { isTruthy } from './match-element.js';
import { isInherited } from './path.js';
import type { Place } from './place.js';

const TABLE: OperatorTable = new Map([...OPERATORS, ...ARITHMETIC]);

/** Compiles `$expr`: does the expression give something true for the document? */
export function compileExpressionTest(expression: unknown, place: Place): (doc: object) => boolean {
  const evaluate = compileExpression(expression, place);
  return (doc) => isTruthy(evaluate(doc));
}

/**
 * Compiles an expression of MongoDB's aggregation language; it gives `undefined` for a missing
 * value.
 *
 * There are field references (`$a.b`, `$$ROOT`), literals, documents and arrays of expressions, and
 * the operators for comparison, logic, arithmetic, and the few others in the tables.
 */
export function compileExpression(expression: unknown, place: Place): Evaluate {
  if (typeof expression === 'string') return compileText(expression, place);
  if (Array.isArray(expression)) return compileArray(expression, place);
  if (!isDocument(expression)) return () => expression;
  const names = Object.keys(expression);
  const operator = names.find((name) => name.startsWith('$'));
  if (operator === undefined) return compileObject(expression, place);
  if (names.length > 1) return place.fail('an operator must stand alone');
  return compileOperator(operator, expression[operator], place.at(operator));
}

function compileText(text: string, place: Place): Evaluate {
  if (!text.startsWith('$')) return () => text;
  const isVariable = text.startsWith('$$');
  const [variable, ...rest] = text.slice(2).split('.');
  if (isVariable && variable !== 'ROOT' && variable !== 'CURRENT') {
    return place.fail(`there is no variable $$${variable}`);
  }
  const names = isVariable ? rest : text.slice(1).split('.');
  if (names.some((name) => name === '' || name.startsWith('$'))) {
    return place.fail(`${text} is not a field reference`);
  }
  const [only = ''] = names;
  if (names.length === 1 && !isInherited(only)) {
    return (doc) => (doc as Record<string, unknown>)[only];
  }
  return (doc) => readFieldPath(doc, names);
}

function compileArray(members: readonly unknown[], place: Place): Evaluate {
  const evaluate = members.map((member, index) => compileExpression(member, place.at(index)));
  return (doc) => evaluate.map((member) => member(doc) ?? null);
}

function compileObject(fields: Record<string, unknown>, place: Place): Evaluate {
  const evaluate = Object.entries(fields).map(([name, field]) => {
    if (name === '' || name.includes('.')) place.at(name).fail('not a field name');
    return [name, compileExpression(field, place.at(name))] as const;
  });
  return (doc) => {
    const result = {};
    for (const [name, field] of evaluate) {
      const value = field(doc);
      if (value !== undefined) setOwn(result, name, value);
    }
    return result;
  };
}

function compileOperator(name: string, operand: unknown, place: Place): Evaluate {
  if (name === '$literal') return () => operand;
  if (name === '$function' || name === '$accumulator') {
    return place.fail('running JavaScript from a query is refused');
  }
  const operator = TABLE.get(name) ?? place.fail(`there is no expression ${name} here`);
  const named = operator.fields;
  if (named && isDocument(operand)) return compileNamed(operator, named, operand, place);
  const operands = Array.isArray(operand) ? operand : [operand];
  const [least, most] = operator.arity;
  if (operands.length < least || operands.length > most) {
    place.fail(`expected ${least === most ? least : `${least} or more`} operands`);
  }
  return operator.combine(
    operands.map((member, index) => compileExpression(member, place.at(index))),
    place,
  );
}

/** Operands by name, as in `{ $cond: { if, then, else } }`. */
function compileNamed(
  { combine }: { readonly combine: (operands: Evaluate[], place: Place) => Evaluate },
  names: readonly string[],
  operand: Record<string, unknown>,
  place: Place,
): Evaluate {
  const isComplete = names.every((name) => Object.hasOwn(operand, name));
  if (!isComplete || Object.keys(operand).length !== names.length) {
    place.fail(`expected ${names.join(', ')}`);
  }
  return combine(
    names.map((name) => compileExpression(operand[name], place.at(name))),
    place,
  );
}
