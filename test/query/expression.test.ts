import { Decimal128, Long, MinKey } from 'bson';
import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { compileFilter } from '../../src/query/criteria.js';
import { compileProjection } from '../../src/query/projection.js';
import { deepFreeze } from './support.js';

/** An object with a member `then` looks like a promise: the linter wants none written down. */
const named = (operands: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(operands).map(([name, value]) => [name === 'yes' ? 'then' : name, value]),
  );
const isTrue = (expression: unknown, doc: object) =>
  compileFilter(deepFreeze({ $expr: expression })).matches(deepFreeze(doc));
const computed = (expression: unknown, doc: object) =>
  compileProjection({ value: expression, _id: 0 }).apply(deepFreeze(doc))['value'];

describe('$expr', () => {
  test.each<[unknown, object, boolean]>([
    [{ $gt: ['$a', '$b'] }, { a: 3, b: 2 }, true],
    [{ $eq: ['$a', null] }, { a: null }, true],
    [{ $eq: ['$a', null] }, {}, false],
    [{ $lt: ['$a', null] }, {}, true],
    [{ $gt: ['$a', new MinKey()] }, {}, true],
    [{ $gt: ['$a', 5] }, { a: 'x' }, true],
    [{ $eq: ['$a', 5] }, { a: Long.fromNumber(5) }, true],
    [{ $eq: ['$a', [1, 2]] }, { a: [1, 2] }, true],
    [{ $eq: ['$a', 1] }, { a: [1, 2] }, false],
    [{ $eq: ['$a.b', [1, [2]]] }, { a: [{ b: 1 }, { b: [2] }, 5, {}] }, true],
    [{ $eq: ['$a.0', 1] }, { a: [1] }, false],
    [{ $eq: ['$a', { $literal: '$b' }] }, { a: '$b' }, true],
    [{ $eq: ['$$ROOT.a', '$$CURRENT.a'] }, { a: 1 }, true],
    [{ $cmp: ['$a', 1] }, { a: 1 }, false],
    [{ $cmp: ['$a', 1] }, { a: 0 }, true],
    [{ $and: ['$a', { $not: ['$b'] }] }, { a: '', b: 0 }, true],
    [{ $and: [] }, {}, true],
    [{ $or: [] }, {}, false],
    [{ $or: ['$a', '$b'] }, { b: [] }, true],
    [{ $not: '$a' }, { a: null }, true],
    [{ $in: ['$a', '$l'] }, { a: Long.ONE, l: [1] }, true],
    [{ $eq: [{ $ifNull: ['$a', '$b', 7] }, 7] }, { a: null }, true],
    [{ $cond: ['$a', false, true] }, { a: 0 }, true],
    [{ $cond: named({ if: '$a', yes: false, else: true }) }, { a: 0 }, true],
    [{ $cond: [{ $ne: ['$a', 0] }, { $divide: [1, '$a'] }, true] }, { a: 0 }, true],
    [{ $eq: [{ $size: '$a' }, 2] }, { a: [1, 2] }, true],
    [{ $isArray: '$a' }, { a: [] }, true],
    [{ $eq: [{ $type: '$a' }, 'missing'] }, {}, true],
    [{ $eq: [{ $arrayElemAt: ['$a', -1] }, 2] }, { a: [1, 2] }, true],
    [{ $eq: [{ $concat: ['$a', '-', '$a'] }, 'x-x'] }, { a: 'x' }, true],
    [{ $eq: ['$constructor', '$missing'] }, {}, true],
    [
      {
        $eq: [
          { a: '$a', b: 1 },
          { a: 2, b: 1 },
        ],
      },
      { a: 2 },
      true,
    ],
    ['$a', { a: 'no' }, true],
    ['a', {}, true],
  ])('%o on %o is %s', (expression, doc, wanted) => {
    expect(isTrue(expression, doc)).toBe(wanted);
  });

  test.each<[string, unknown]>([
    ['$.$expr.$foo', { $foo: 1 }],
    ['$.$expr.$gt', { $gt: [1] }],
    ['$.$expr', '$$x'],
    ['$.$expr', '$'],
    ['$.$expr', '$a..b'],
    ['$.$expr', { $eq: [1, 1], $gt: [1, 1] }],
    ['$.$expr.$function', { $function: { body: 'x', args: [], lang: 'js' } }],
    ['$.$expr.$cond', { $cond: named({ if: 1, yes: 2 }) }],
  ])('at %s refuses %o', (path, expression) => {
    const compile = () => compileFilter({ $expr: expression });
    expect(compile).toThrow(InvalidQueryError);
    expect(compile).toThrow(expect.objectContaining({ path }));
  });

  test.each([
    [{ $in: [1, '$a'] }, { a: 1 }],
    [{ $size: '$a' }, { a: 1 }],
    [{ $divide: [1, '$a'] }, { a: 0 }],
    [{ $add: [1, '$a'] }, { a: 'x' }],
  ])('%o on %o fails while matching', (expression, doc) => {
    expect(() => isTrue(expression, doc)).toThrow(InvalidQueryError);
  });
});

describe('arithmetic', () => {
  test.each<[unknown, object, unknown]>([
    [{ $add: ['$a', 1] }, { a: Long.fromNumber(5) }, 6],
    [{ $add: ['$a', 1.5] }, { a: 5 }, 6.5],
    [{ $add: [] }, {}, 0],
    [{ $add: ['$a', 1] }, {}, null],
    [{ $add: ['$a', '$a'] }, { a: Long.fromString('4611686018427387903') }, 9223372036854775806n],
    [{ $add: ['$a', 1] }, { a: Long.MAX_VALUE }, 2 ** 63],
    [{ $add: ['$a', 5] }, { a: new Date(5) }, new Date(10)],
    [{ $subtract: ['$a', '$b'] }, { a: new Date(5), b: new Date(3) }, 2],
    [{ $subtract: ['$a', 3] }, { a: new Date(5) }, new Date(2)],
    [{ $multiply: ['$a', 2, 3] }, { a: 1.5 }, 9],
    [{ $multiply: ['$a', '$a'] }, { a: 3037000499 }, 9223372030926249001n],
    [{ $divide: ['$a', 2] }, { a: 5 }, 2.5],
    [{ $mod: ['$a', 4] }, { a: -5 }, -1],
    [{ $mod: ['$a', 2] }, { a: Long.fromString('9007199254740993') }, 1],
    [{ $abs: '$a' }, { a: -5 }, 5],
    [{ $add: ['$a', 1] }, { a: Decimal128.fromString('2.0') }, 3],
  ])('%o on %o is %o', (expression, doc, value) => {
    expect(computed(expression, doc)).toEqual(value);
  });
});
