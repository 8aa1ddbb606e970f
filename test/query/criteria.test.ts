import {
  Binary,
  BSONRegExp,
  Decimal128,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { kindOf } from '../../src/query/bson-kind.js';
import { compareValues, equalValues } from '../../src/query/compare.js';
import type { Criteria } from '../../src/query/criteria.js';
import { compileFilter } from '../../src/query/criteria.js';
import type { Doc } from '../../src/query/document.js';
import { valuesAt } from '../../src/query/path.js';
import { Generator } from './generate.js';
import { deepFreeze } from './support.js';

/** The positions of the documents that match. */
function found(docs: readonly Doc[], criteria: Criteria): number[] {
  const filter = compileFilter(deepFreeze(criteria));
  return docs.flatMap((doc, index) => (filter.matches(deepFreeze(doc)) ? [index] : []));
}

const MIXED: readonly Doc[] = [
  { a: 1 },
  { a: null },
  {},
  { a: [1, [2]] },
  { a: { b: 1 } },
  { a: 'x' },
  { a: [{ b: 1 }, { b: [1, 2] }] },
  { a: [[{ b: 1 }]] },
];

describe('operators on values of mixed kinds', () => {
  test.each<[Criteria, number[]]>([
    [{}, [0, 1, 2, 3, 4, 5, 6, 7]],
    [{ a: 1 }, [0, 3]],
    [{ a: null }, [1, 2]],
    [{ a: undefined }, [1, 2]],
    [{ a: [2] }, [3]],
    [{ a: { b: 1 } }, [4, 6]],
    [{ a: { b: 1, $gt: 1 } }, []],
    [{ a: { $eq: null } }, [1, 2]],
    [{ a: { $ne: null } }, [0, 3, 4, 5, 6, 7]],
    [{ a: { $ne: 1 } }, [1, 2, 4, 5, 6, 7]],
    [{ a: { $gt: 0 } }, [0, 3]],
    [{ a: { $lt: null } }, []],
    [{ a: { $lte: null } }, [1, 2]],
    [{ a: { $gte: null } }, [1, 2]],
    [{ a: { $gt: [] } }, [3, 6, 7]],
    [{ a: { $lt: [2] } }, [3]],
    [{ a: { $gt: {} } }, [4, 6]],
    [{ a: { $gt: true } }, []],
    [{ a: { $in: [] } }, []],
    [{ a: { $in: [undefined] } }, [1, 2]],
    [{ a: { $in: [/x/, 1] } }, [0, 3, 5]],
    [{ a: { $in: [{ $ref: 'x', $id: 1 }] } }, []],
    [{ a: { $nin: [] } }, [0, 1, 2, 3, 4, 5, 6, 7]],
    [{ a: { $nin: [null, 1] } }, [4, 5, 6, 7]],
    [{ a: { $not: { $gt: 0 } } }, [1, 2, 4, 5, 6, 7]],
    [{ a: { $not: /x/ } }, [0, 1, 2, 3, 4, 6, 7]],
    [{ a: { $exists: true } }, [0, 1, 3, 4, 5, 6, 7]],
    [{ a: { $exists: 'x' } }, [0, 1, 3, 4, 5, 6, 7]],
    [{ a: { $exists: 0 } }, [2]],
    [{ a: { $exists: null } }, [2]],
    [{ a: { $exists: Long.ZERO } }, [2]],
    [{ a: { $type: 'array' } }, [3, 6, 7]],
    [{ a: { $type: 'object' } }, [4, 6]],
    [{ a: { $type: ['string', 10] } }, [1, 5]],
    [{ a: { $type: 'undefined' } }, []],
    [{ a: { $size: 2 } }, [3, 6]],
    [{ a: { $size: Long.fromNumber(2) } }, [3, 6]],
    [{ a: { $all: [] } }, []],
    [{ a: { $all: [null] } }, [1, 2]],
    [{ a: { $all: [1, [2]] } }, [3]],
    [{ a: { $all: [[1, [2]]] } }, [3]],
    [{ a: { $all: [/x/] } }, [5]],
    [{ a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { b: 2 } }] } }, [6]],
    [{ a: { $elemMatch: {} } }, [3, 6, 7]],
    [{ a: { $elemMatch: { b: null } } }, [3, 7]],
    [{ a: { $elemMatch: { 0: { $exists: true } } } }, [3, 7]],
    [{ a: { $elemMatch: { length: { $exists: true } } } }, []],
    [{ a: { $elemMatch: { $not: { $eq: 1 } } } }, [3, 6, 7]],
    [{ a: { $elemMatch: { $and: [{ b: 1 }, { b: 2 }] } } }, [6]],
    [{ a: { $elemMatch: { $size: 1 } } }, [3, 7]],
    [{ a: { $regex: 'X', $options: 'i', $ne: 'q' } }, [5]],
    [{ a: { $options: 'i', $regex: 'X' } }, [5]],
    [{ $comment: 5 }, [0, 1, 2, 3, 4, 5, 6, 7]],
    [{ $and: [{ a: 1 }, { a: [2] }] }, [3]],
    [{ a: 1, b: null, c: null }, [0, 3]],
    [{ a: { $exists: true, $ne: null, $not: { $type: 'array' } } }, [0, 4, 5]],
    [{ $or: [{ a: 'x' }, { a: null }] }, [1, 2, 5]],
    [{ $nor: [{ a: 'x' }, { a: null }] }, [0, 3, 4, 6, 7]],
    [{ 'a.b': null }, [0, 1, 2, 5]],
    [{ 'a.b': { $exists: false } }, [0, 1, 2, 3, 5, 7]],
    [{ 'a.b': { $ne: 1 } }, [0, 1, 2, 3, 5, 7]],
    [{ 'a.b': [1, 2] }, [6]],
    [{ 'a.0': null }, [0, 1, 2, 4, 5, 6]],
    [{ 'a.0': { $exists: false } }, [0, 1, 2, 4, 5]],
    [{ 'a.0.b': 1 }, [6, 7]],
    [{ 'a.5': null }, [0, 1, 2, 4, 5, 6]],
    [{ 'a.': 1 }, []],
    [{ 'a..b': 1 }, []],
    [{ 'a.$b': 1 }, []],
  ])('%o', (criteria, positions) => {
    expect(found(MIXED, criteria)).toEqual(positions);
  });
});

describe('numbers', () => {
  const docs = [
    { n: 5 },
    { n: Long.fromNumber(5) },
    { n: Decimal128.fromString('5.0') },
    { n: '5' },
  ];
  test.each([5, Long.fromNumber(5), new Double(5), Decimal128.fromString('5'), 5n])(
    'of all classes are found by %o',
    (n) => {
      expect(found(docs, { n })).toEqual([0, 1, 2]);
      expect(found(docs, { n: { $in: [n] } })).toEqual([0, 1, 2]);
      expect(found(docs, { n: { $gte: n, $lte: n } })).toEqual([0, 1, 2]);
      expect(found(docs, { n: { $ne: n } })).toEqual([3]);
    },
  );

  test('NaN is equal to NaN, and neither above nor below anything', () => {
    const odd = [
      { n: Number.NaN },
      { n: Decimal128.fromString('NaN') },
      { n: 0 },
      { n: -Infinity },
    ];
    expect(found(odd, { n: Number.NaN })).toEqual([0, 1]);
    expect(found(odd, { n: { $in: [Number.NaN] } })).toEqual([0, 1]);
    expect(found(odd, { n: { $gte: Number.NaN } })).toEqual([0, 1]);
    expect(found(odd, { n: { $gt: Number.NaN } })).toEqual([]);
    expect(found(odd, { n: { $lt: 1 } })).toEqual([2, 3]);
    expect(found(odd, { n: { $lte: -Infinity } })).toEqual([3]);
  });

  test.each<[unknown, string]>([
    [1, 'int'],
    [2147483648, 'double'],
    [-0, 'double'],
    [1.5, 'double'],
    [Long.ONE, 'long'],
    [5n, 'long'],
    [Decimal128.fromString('1'), 'decimal'],
    [new Double(1), 'double'],
  ])('the type of %o is %s, and number', (n, type) => {
    const types = ['int', 'long', 'double', 'decimal'].filter(
      (name) => found([{ n }], { n: { $type: name } }).length > 0,
    );
    expect(types).toEqual([type]);
    expect(found([{ n }], { n: { $type: 'number' } })).toEqual([0]);
  });

  test.each<[unknown, readonly [unknown, unknown], boolean]>([
    [5, [2, 1], true],
    [-5, [4, -1], true],
    [-5, [4, 3], false],
    [5.9, [5, 0], true],
    [5, [2.9, 1.9], true],
    [Long.fromString('9007199254740993'), [2, 1], true],
    [Decimal128.fromString('7.9'), [4, 3], true],
    [Number.NaN, [2, 0], false],
    [Infinity, [2, 0], false],
    [1e300, [2, 0], false],
    ['4', [2, 0], false],
  ])('%o $mod %j is %s', (n, operand, matches) => {
    expect(found([{ n }], { n: { $mod: operand } })).toEqual(matches ? [0] : []);
  });

  test.each<[unknown, string, unknown, boolean]>([
    [6, '$bitsAllSet', 6, true],
    [6, '$bitsAllSet', [1, 2], true],
    [6, '$bitsAllSet', 7, false],
    [6, '$bitsAnySet', 1, false],
    [6, '$bitsAllClear', [0, 3], true],
    [6, '$bitsAnyClear', 6, false],
    [6, '$bitsAnyClear', 7, true],
    [-1, '$bitsAllSet', [0, 63, 200], true],
    [6, '$bitsAllSet', [], true],
    [6, '$bitsAnySet', [], false],
    [1.5, '$bitsAnySet', 1, false],
    [Number.NaN, '$bitsAnyClear', 1, false],
    ['6', '$bitsAllSet', 6, false],
    [Long.fromString('4611686018427387904'), '$bitsAllSet', [62], true],
    [new Binary(Buffer.from([0, 1])), '$bitsAllSet', [8], true],
    [new Binary(Buffer.from([0, 1])), '$bitsAllClear', [9, 100], true],
    [6, '$bitsAllSet', new Binary(Buffer.from([2])), true],
    // A decimal with a fraction is no bit mask; DocumentDB cuts it.
    [Decimal128.fromString('1.50'), '$bitsAllSet', 1, false],
    [Decimal128.fromString('6'), '$bitsAllSet', 6, true],
  ])('%o %s %o is %s', (n, operator, operand, matches) => {
    expect(found([{ n }], { n: { [operator]: operand } })).toEqual(matches ? [0] : []);
  });
});

describe('other traps', () => {
  test('the two ends of the order compare with values of all kinds', () => {
    const docs = [{ a: 1 }, {}, { a: new MinKey() }, { a: new MaxKey() }];
    expect(found(docs, { a: { $gt: new MinKey() } })).toEqual([0, 1, 3]);
    expect(found(docs, { a: { $lt: new MaxKey() } })).toEqual([0, 1, 2]);
    expect(found(docs, { a: new MinKey() })).toEqual([2]);
    expect(found(docs, { a: { $lt: new MinKey() } })).toEqual([]);
  });

  test('values of BSON classes are not entered as documents', () => {
    const docs = [
      { v: Long.fromNumber(5) },
      { v: new Date(0) },
      { v: new ObjectId() },
      { v: 'text' },
    ];
    for (const path of ['v.low', 'v.constructor', 'v.length', 'v.i0']) {
      expect(found(docs, { [path]: { $exists: true } })).toEqual([]);
    }
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'length'])(
    'a field named %s is data or missing',
    (name) => {
      const docs = [{}, JSON.parse(`{"${name}":1}`), { x: {} }, JSON.parse(`{"x":{"${name}":1}}`)];
      expect(found(docs, JSON.parse(`{"${name}":1}`))).toEqual([1]);
      expect(found(docs, JSON.parse(`{"${name}":{"$exists":true}}`))).toEqual([1]);
      expect(found(docs, { [`x.${name}`]: 1 })).toEqual([3]);
      expect(found(docs, { [`x.${name}`]: { $exists: true } })).toEqual([3]);
    },
  );

  test('$in with many keys finds each of them and no other', () => {
    const keys = Array.from({ length: 1000 }, (_, i) => (i % 2 ? `k${i}` : i));
    const filter = compileFilter({ key: { $in: keys } });
    expect(keys.every((key) => filter.matches({ key }))).toBe(true);
    for (const key of ['k0', 1, '2', null, undefined, [], {}, ['k0', 1], true]) {
      expect(filter.matches({ key })).toBe(false);
    }
    expect(filter.matches({ key: ['no', 'k1'] })).toBe(true);
  });

  test('timestamps, dates and regular expressions are found by value', () => {
    const docs = [
      { v: new Timestamp({ t: 9, i: 1 }) },
      { v: new Timestamp({ t: 10, i: 0 }) },
      { v: new Date(5) },
      { v: new BSONRegExp('^a', 'i') },
      { v: 'Abc' },
    ];
    expect(found(docs, { v: { $gt: new Timestamp({ t: 9, i: 1 }) } })).toEqual([1]);
    expect(found(docs, { v: { $in: [new Date(5)] } })).toEqual([2]);
    expect(found(docs, { v: /^a/i })).toEqual([3, 4]);
    expect(found(docs, { v: { $eq: /^a/i } })).toEqual([3]);
    expect(found(docs, { v: { $not: { $regex: '^a', $options: 'i' } } })).toEqual([0, 1, 2]);
  });

  test('the criteria are copied: changing them later changes nothing', () => {
    const criteria = { a: { $in: [1] }, b: { x: 1 } };
    const filter = compileFilter(criteria);
    criteria.b.x = 2;
    criteria.a.$in.push(2);
    expect(filter.matches({ a: 1, b: { x: 1 } })).toBe(true);
    expect(filter.criteria).toEqual({ a: { $in: [1] }, b: { x: 1 } });
  });
});

describe('what is refused', () => {
  const deep = Array.from({ length: 101 }).reduce<Criteria>((inner) => ({ $and: [inner] }), {});
  test.each<[string, unknown]>([
    ['$', null],
    ['$', []],
    ['$', 'x'],
    ['$.$foo', { $foo: 1 }],
    ['$.$not', { $not: { a: 1 } }],
    ['$.$where', { $where: '1' }],
    ['$.$text', { $text: {} }],
    ['$.$and', { $and: [] }],
    ['$.$and', { $and: {} }],
    ['$.$and[0]', { $and: [1] }],
    ['$.$or', { $or: [] }],
    ['$.$nor', { $nor: [] }],
    ['$.a.$foo', { a: { $foo: 1 } }],
    ['$.a.$comment', { a: { $comment: 'x', $gt: 0 } }],
    ['$.a.b', { a: { $gt: 1, b: 2 } }],
    ['$.a.$in', { a: { $in: 5 } }],
    ['$.a.$in[1]', { a: { $in: [1, { $gt: 1 }] } }],
    ['$.a.$nin', { a: { $nin: null } }],
    ['$.a.$ne', { a: { $ne: /x/ } }],
    ['$.a.$gt', { a: { $gt: new BSONRegExp('x') } }],
    ['$.a.$not', { a: { $not: 5 } }],
    ['$.a.$not', { a: { $not: {} } }],
    ['$.a.$not.b', { a: { $not: { b: 1 } } }],
    ['$.a.$size', { a: { $size: -1 } }],
    ['$.a.$size', { a: { $size: 1.5 } }],
    ['$.a.$size', { a: { $size: '1' } }],
    ['$.a.$all', { a: { $all: 5 } }],
    ['$.a.$all[0]', { a: { $all: [{ $gt: 1 }] } }],
    ['$.a.$all[1]', { a: { $all: [{ $elemMatch: { b: 1 } }, 1] } }],
    ['$.a.$elemMatch', { a: { $elemMatch: 5 } }],
    ['$.a.$elemMatch.$foo', { a: { $elemMatch: { $foo: 1 } } }],
    ['$.a.$elemMatch.$expr', { a: { $elemMatch: { $expr: true } } }],
    ['$.a.$type', { a: { $type: [] } }],
    ['$.a.$type', { a: { $type: 'foo' } }],
    ['$.a.$type', { a: { $type: 99 } }],
    ['$.a.$type', { a: { $type: null } }],
    ['$.a.$mod', { a: { $mod: [2] } }],
    ['$.a.$mod', { a: { $mod: [2, 0, 1] } }],
    ['$.a.$mod[0]', { a: { $mod: [0, 1] } }],
    ['$.a.$mod[0]', { a: { $mod: [0.5, 1] } }],
    ['$.a.$mod[0]', { a: { $mod: ['a', 1] } }],
    ['$.a.$mod[1]', { a: { $mod: [2, Number.NaN] } }],
    ['$.a.$regex', { a: { $regex: '(' } }],
    ['$.a.$regex', { a: { $regex: 5 } }],
    ['$.a.$regex', { a: { $regex: 'x', $options: 'q' } }],
    ['$.a.$options', { a: { $regex: 'x', $options: 5 } }],
    ['$.a.$options', { a: { $regex: /x/i, $options: 'm' } }],
    ['$.a', { a: { $options: 'i' } }],
    ['$.a.$bitsAllSet', { a: { $bitsAllSet: -1 } }],
    ['$.a.$bitsAllSet', { a: { $bitsAllSet: 1.5 } }],
    ['$.a.$bitsAllSet', { a: { $bitsAllSet: 'a' } }],
    ['$.a.$bitsAllSet[0]', { a: { $bitsAllSet: [-1] } }],
    ['$.$or[1].a.b.$size', { $or: [{}, { 'a.b': { $size: -1 } }] }],
  ])('at %s: %o', (place, criteria) => {
    const compile = () => compileFilter(criteria as Criteria);
    expect(compile).toThrow(InvalidQueryError);
    expect(compile).toThrow(expect.objectContaining({ code: 'INVALID_QUERY', path: place }));
  });

  test('criteria that are nested too deep', () => {
    expect(() => compileFilter(deep)).toThrow(InvalidQueryError);
  });

  test.each(['$where', '$function'])('%s says that code is not run', (name) => {
    expect(() => compileFilter({ [name]: 'x' })).toThrow(/JavaScript/);
  });
});

describe('equalities', () => {
  const id = new ObjectId();
  test.each<[Criteria, Record<string, unknown[]>]>([
    [{}, {}],
    [
      { a: 1, 'b.c': id },
      { a: [1], 'b.c': [id] },
    ],
    [{ a: { $eq: 'x' } }, { a: ['x'] }],
    [{ a: { $in: [1, 2] } }, { a: [1, 2] }],
    [{ a: { $in: [] } }, { a: [] }],
    [{ a: { $in: [1, 2, 3], $eq: 2 } }, { a: [2] }],
    [{ $and: [{ a: 1 }, { $and: [{ b: 2 }] }, { a: { $in: [3, 4] } }] }, { a: [1], b: [2] }],
    [{ a: { x: 1 } }, { a: [{ x: 1 }] }],
    [{ a: null }, {}],
    [{ a: { $in: [1, null] } }, {}],
    [{ a: { $in: [/x/] } }, {}],
    [{ a: /x/ }, {}],
    [{ a: [1] }, {}],
    [{ a: { $ne: 1 }, b: { $gt: 1 } }, {}],
    [{ $or: [{ a: 1 }] }, {}],
    [{ a: { $not: { $eq: 1 } } }, {}],
  ])('of %o are %o', (criteria, equalities) => {
    expect(Object.fromEntries(compileFilter(criteria).equalities)).toEqual(equalities);
  });

  test('never exclude a document that matches', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const make = new Generator(seed);
        const filter = compileOrNull(make.criteria());
        const doc = make.doc(1);
        if (!filter?.matches(doc)) return;
        for (const [path, values] of filter.equalities) {
          const there = valuesAt(doc, path);
          expect(there.some((value) => values.some((one) => equalValues(value, one)))).toBe(true);
        }
        for (const [path, { lower, upper }] of filter.ranges) {
          const there = valuesAt(doc, path);
          const has = (bound: unknown, direction: number) =>
            there.some(
              (value) =>
                kindOf(value) === kindOf(bound) && compareValues(value, bound) * direction >= 0,
            );
          if (lower !== undefined) expect(has(lower, 1)).toBe(true);
          if (upper !== undefined) expect(has(upper, -1)).toBe(true);
        }
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('ranges', () => {
  const [day, later] = [new Date(0), new Date(9)];
  test.each<[Criteria, Record<string, object>]>([
    [{ a: { $gt: 1 } }, { a: { lower: 1 } }],
    [{ a: { $gte: 1, $lt: 5, $gt: 0 } }, { a: { lower: 1, upper: 5 } }],
    [
      { $and: [{ a: { $gt: day } }, { a: { $gt: later, $lte: 3 } }] },
      { a: { lower: later, upper: 3 } },
    ],
    [{ 'a.b': { $lt: 'x' }, c: { $ne: 1 } }, { 'a.b': { upper: 'x' } }],
    [{ a: { $gte: null } }, {}],
    [{ a: { $lt: Number.NaN } }, {}],
    [{ a: { $gt: [1] } }, {}],
    [{ a: { $not: { $gt: 1 } } }, {}],
    [{ $or: [{ a: { $gt: 1 } }] }, {}],
    [{ a: { $elemMatch: { $gt: 1 } } }, {}],
  ])('of %o are %o', (criteria, ranges) => {
    expect(Object.fromEntries(compileFilter(criteria).ranges)).toEqual(ranges);
  });
});

function compileOrNull(criteria: Criteria) {
  try {
    return compileFilter(criteria);
  } catch (error) {
    if (error instanceof InvalidQueryError) return null;
    throw error;
  }
}

describe('laws', () => {
  const law = (name: string, holds: (make: Generator, doc: Doc, path: string) => void) =>
    test(name, () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const make = new Generator(seed);
          holds(make, deepFreeze(make.doc(1)), make.path());
        }),
        { numRuns: 3000 },
      );
    });
  const matches = (criteria: Criteria, doc: Doc) =>
    compileFilter(deepFreeze(criteria)).matches(doc);

  law('$nin is the complement of $in, $ne of $eq', (make, doc, path) => {
    const list = [make.value(1), make.value(1)];
    expect(matches({ [path]: { $nin: list } }, doc)).toBe(!matches({ [path]: { $in: list } }, doc));
    const [value] = list.filter((one) => !(one instanceof BSONRegExp));
    expect(matches({ [path]: { $ne: value } }, doc)).toBe(
      !matches({ [path]: { $eq: value } }, doc),
    );
  });

  law('$not is the complement of a condition, $nor of $or', (make, doc, path) => {
    const operator = make.operator(1);
    const criteria = { [path]: operator };
    if (!compileOrNull(criteria)) return;
    expect(matches({ [path]: { $not: operator } }, doc)).toBe(!matches(criteria, doc));
    expect(matches({ $nor: [criteria] }, doc)).toBe(!matches({ $or: [criteria] }, doc));
  });

  law('$in is an $or of equalities, $all an $and', (make, doc, path) => {
    const list = [make.value(1), make.value(1)];
    const each = list.map((value) => ({ [path]: value }));
    expect(matches({ [path]: { $in: list } }, doc)).toBe(matches({ $or: each }, doc));
    expect(matches({ [path]: { $all: list } }, doc)).toBe(matches({ $and: each }, doc));
  });

  law('equality holds exactly when a value at the path is equal', (make, doc, path) => {
    const value = make.value(1);
    if (value instanceof BSONRegExp) return;
    const there = valuesAt(doc, path);
    expect(matches({ [path]: value }, doc)).toBe(there.some((one) => equalValues(one, value)));
  });

  law('$gte is $gt or $eq', (make, doc, path) => {
    const value = make.value(1);
    if (value instanceof BSONRegExp) return;
    const either = { $or: [{ [path]: { $gt: value } }, { [path]: { $eq: value } }] };
    expect(matches({ [path]: { $gte: value } }, doc)).toBe(matches(either, doc));
  });
});
