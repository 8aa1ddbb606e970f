import { Decimal128, Double, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { cloneValue } from '../../src/query/clone.js';
import { equalValues } from '../../src/query/compare.js';
import type { Criteria } from '../../src/query/criteria.js';
import { compileFilter } from '../../src/query/criteria.js';
import type { Doc } from '../../src/query/document.js';
import type { Projection } from '../../src/query/projection.js';
import { compileProjection } from '../../src/query/projection.js';
import { Generator } from './generate.js';
import { deepFreeze } from './support.js';

const DOC = deepFreeze({ _id: 0, a: [1, 2, 3], b: [4, 5, 6], x: 1, y: { z: [1, 2], w: 1 } });

const project = (doc: Doc, properties: readonly string[] | Projection, criteria?: Criteria) =>
  compileProjection(
    deepFreeze(properties),
    criteria === undefined ? undefined : compileFilter(deepFreeze(criteria)),
  ).apply(deepFreeze(doc));

/** Compares documents with the order of their fields. */
const expectSame = (found: Doc, wanted: Doc) =>
  expect(equalValues(found, wanted), JSON.stringify(found)).toBe(true);

describe('a list of names', () => {
  test.each<[readonly string[], Doc]>([
    [[], DOC],
    [['x'], { _id: 0, x: 1 }],
    [['y', 'x'], { _id: 0, x: 1, y: { z: [1, 2], w: 1 } }],
    [['_id'], { _id: 0 }],
    [['y.w'], { _id: 0, y: { w: 1 } }],
    [['y.w', 'y'], { _id: 0, y: { z: [1, 2], w: 1 } }],
    [['y', 'y.w', 'y.w'], { _id: 0, y: { z: [1, 2], w: 1 } }],
    [['missing', 'constructor', '__proto__'], { _id: 0 }],
  ])('%j includes these and _id', (names, wanted) => {
    expectSame(project(DOC, names), wanted);
  });

  test('becomes a projection in spec, without the names inside others', () => {
    expect(compileProjection(['b', 'a', 'a.b.c', 'ab']).spec).toEqual({ b: 1, a: 1, ab: 1 });
    expect(compileProjection([]).spec).toEqual({});
  });
});

describe('a projection', () => {
  test.each<[Projection, Doc]>([
    [{}, DOC],
    [{ _id: 1 }, { _id: 0 }],
    [{ _id: 0 }, { a: [1, 2, 3], b: [4, 5, 6], x: 1, y: { z: [1, 2], w: 1 } }],
    [
      { _id: 1, a: 0, b: false },
      { _id: 0, x: 1, y: { z: [1, 2], w: 1 } },
    ],
    [{ x: 5, _id: 0 }, { x: 1 }],
    [{ x: new Double(Number.NaN), _id: Long.ZERO }, { x: 1 }],
    [
      { a: Decimal128.fromString('0'), b: -0 },
      { _id: 0, x: 1, y: { z: [1, 2], w: 1 } },
    ],
    [{ a: { $slice: 1 } }, { _id: 0, a: [1], b: [4, 5, 6], x: 1, y: { z: [1, 2], w: 1 } }],
    [
      { a: { $slice: 1.9 }, x: 1 },
      { _id: 0, a: [1], x: 1 },
    ],
    [
      { a: { $slice: 0 }, x: 1 },
      { _id: 0, a: [], x: 1 },
    ],
    [
      { a: { $slice: -2 }, x: 1 },
      { _id: 0, a: [2, 3], x: 1 },
    ],
    [
      { a: { $slice: -9 }, x: 1 },
      { _id: 0, a: [1, 2, 3], x: 1 },
    ],
    [
      { a: { $slice: [1, 1] }, x: 1 },
      { _id: 0, a: [2], x: 1 },
    ],
    [
      { a: { $slice: [-2, 1] }, x: 1 },
      { _id: 0, a: [2], x: 1 },
    ],
    [
      { a: { $slice: [-9, 2] }, x: 1 },
      { _id: 0, a: [1, 2], x: 1 },
    ],
    [
      { a: { $slice: [5, 2] }, x: 1 },
      { _id: 0, a: [], x: 1 },
    ],
    [
      { x: { $slice: 1 }, b: 1 },
      { _id: 0, b: [4, 5, 6], x: 1 },
    ],
    [
      { _id: 1, a: { $slice: 1 } },
      { _id: 0, a: [1], b: [4, 5, 6], x: 1, y: { z: [1, 2], w: 1 } },
    ],
    [
      { a: { $slice: 1 }, b: 0, y: 0 },
      { _id: 0, a: [1], x: 1 },
    ],
    [
      { 'y.z': { $slice: 1 }, x: 1 },
      { _id: 0, x: 1, y: { z: [1] } },
    ],
    [
      { 'y.z': { $slice: -1 }, a: 0, b: 0 },
      { _id: 0, x: 1, y: { z: [2], w: 1 } },
    ],
    [{ a: { $elemMatch: { $gt: 1 } } }, { _id: 0, a: [2] }],
    [
      { _id: 1, a: { $elemMatch: { $gt: 1 } } },
      { _id: 0, a: [2] },
    ],
    [{ x: { $elemMatch: { $gt: 0 } } }, { _id: 0 }],
    // MongoDB manual: $elemMatch comes after the other fields of an inclusion.
    [
      { a: { $elemMatch: { $gt: 1 } }, x: 1 },
      { _id: 0, x: 1, a: [2] },
    ],
    [
      { a: { $elemMatch: { $gt: 1 } }, b: 0, y: 0 },
      { _id: 0, a: [2], x: 1 },
    ],
    // DocumentDB returns the other fields, too; MongoDB does not.
    [{ _id: 0, a: { $elemMatch: { $gt: 1 } } }, { a: [2] }],
    [{ a: '$x' }, { _id: 0, a: 1 }],
    [
      { a: 'text', b: null },
      { _id: 0, a: 'text', b: null },
    ],
    [
      { n: { $literal: 1 }, x: 1 },
      { _id: 0, x: 1, n: 1 },
    ],
    [
      { n: '$missing', x: 1 },
      { _id: 0, x: 1 },
    ],
    [{ n: { m: '$x' } }, { _id: 0, n: { m: 1 } }],
    [
      { 'y.q': '$x', 'y.w': 1 },
      { _id: 0, y: { w: 1, q: 1 } },
    ],
    [{ s: { $add: ['$x', 1] }, _id: 0 }, { s: 2 }],
    [
      { x: 1, _id: { $literal: 5 } },
      { x: 1, _id: 5 },
    ],
    [{ '_id.x': 1 }, {}],
    [{ y: { w: 1 } }, { _id: 0, y: { w: 1 } }],
    [
      { y: { w: 0 }, a: 0, b: 0 },
      { _id: 0, x: 1, y: { z: [1, 2] } },
    ],
    [{ 'a.0': 1 }, { _id: 0, a: [] }],
    [{ 'x.w': 1 }, { _id: 0 }],
  ])('%o', (projection, wanted) => {
    expectSame(project(DOC, projection), wanted);
  });

  test.each<[Projection, Doc, Doc]>([
    [
      { 'a.b': 1 },
      { a: [{ b: 1, c: 2 }, 3, [{ b: 4, c: 5 }, 6], {}] },
      { a: [{ b: 1 }, [{ b: 4 }], {}] },
    ],
    [
      { 'a.b': 0 },
      { a: [{ b: 1, c: 2 }, 3, [{ b: 4, c: 5 }, 6], {}] },
      { a: [{ c: 2 }, 3, [{ c: 5 }, 6], {}] },
    ],
    [{ 'a.b': 1 }, { a: new ObjectId() }, {}],
    [{ 'a.low': 0 }, { a: Long.ONE }, { a: Long.ONE }],
    [{ 'a.b.c': 1 }, { a: { b: [{ c: 1, d: 2 }] } }, { a: { b: [{ c: 1 }] } }],
  ])('%o of %o', (projection, doc, wanted) => {
    expectSame(project(doc, projection), wanted);
  });

  test.each<[string, Projection]>([
    ['projection.b', { a: 1, b: 0 }],
    ['projection.b', { a: 0, b: 1 }],
    ['projection.s', { x: 0, s: '$x' }],
    ['projection.y.z', { y: { w: 1, z: 0 } }],
    ['projection.a.b', { a: 1, 'a.b': 1 }],
    ['projection.a', { 'a.b': 1, a: 1 }],
    ['projection.', { '': 1 }],
    ['projection.a.', { 'a.': 1 }],
    ['projection.a..b', { 'a..b': 1 }],
    ['projection.$a', { $a: 1 }],
    ['projection.a.$b', { 'a.$b': 1 }],
    ['projection.a', { a: {} }],
    ['projection.a.$foo', { a: { $foo: 1 } }],
    ['projection.a', { a: { $slice: 1, b: 1 } }],
    ['projection.a.$slice', { a: { $slice: 'x' } }],
    ['projection.a.$slice', { a: { $slice: [1, 2, 3] } }],
    ['projection.a.$slice[1]', { a: { $slice: [1, 0] } }],
    ['projection.a.$elemMatch', { a: { $elemMatch: 5 } }],
    ['projection.a.b', { 'a.b': { $elemMatch: { c: 1 } } }],
    ['projection.a.$', { 'a.$': 1 }],
    ['projection.a.$', { 'a.$': 0 }],
    ['projection.a.$', { 'a.$': 'x' }],
    ['projection.b.$', { 'a.$': 1, 'b.$': 1 }],
    ['projection.a', { 'a.$': 1, a: 1 }],
    ['projection.a.$.b', { 'a.$.b': 1 }],
    ['projection', null as unknown as Projection],
  ])('at %s is refused: %o', (path, projection) => {
    const compile = () => compileProjection(projection);
    expect(compile).toThrow(InvalidQueryError);
    expect(compile).toThrow(expect.objectContaining({ path }));
  });
});

describe('the element that the filter found', () => {
  const nested = {
    _id: 0,
    a: [
      { b: [1, 2], c: 1 },
      { b: [3, 4], c: 2 },
    ],
  };
  test.each<[Doc, Criteria, Projection, Doc]>([
    [DOC, { a: 2 }, { 'a.$': 1 }, { _id: 0, a: [2] }],
    [DOC, { a: 2 }, { 'b.$': 1 }, { _id: 0, b: [5] }],
    [DOC, { a: 2 }, { 'x.$': 1 }, { _id: 0, x: 1 }],
    [DOC, { a: 2 }, { 'a.$': true, x: 1 }, { _id: 0, a: [2], x: 1 }],
    // MongoDB leaves open which condition decides; DocumentDB takes the last one here.
    [DOC, { a: 2, b: 6 }, { 'a.$': 1 }, { _id: 0, a: [2] }],
    [DOC, { b: 6, a: 2 }, { 'b.$': 1 }, { _id: 0, b: [6] }],
    [DOC, { a: { $elemMatch: { $gt: 2 } } }, { 'a.$': 1 }, { _id: 0, a: [3] }],
    [DOC, { a: { $all: [3, 1] } }, { 'a.$': 1 }, { _id: 0, a: [3] }],
    [DOC, { $and: [{ x: 1 }, { a: { $gte: 2 } }] }, { 'a.$': 1 }, { _id: 0, a: [2] }],
    [DOC, { $or: [{ a: 9 }, { b: 5 }] }, { 'a.$': 1 }, { _id: 0, a: [2] }],
    [DOC, { 'y.z': 2 }, { 'y.z.$': 1 }, { _id: 0, y: { z: [2] } }],
    [DOC, { 'y.z': 2 }, { 'y.$': 1 }, { _id: 0, y: { z: [1, 2], w: 1 } }],
    [nested, { 'a.b': 4 }, { 'a.$': 1 }, { _id: 0, a: [{ b: [3, 4], c: 2 }] }],
    [nested, { 'a.b': 4 }, { 'a.b.$': 1 }, { _id: 0, a: [{ b: [3, 4] }] }],
    [nested, { 'a.c': 2 }, { 'a.b.$': 1 }, { _id: 0, a: [{ b: [3, 4] }] }],
  ])('in %o by %o with %o', (doc, criteria, projection, wanted) => {
    expectSame(project(doc, projection, criteria), wanted);
  });

  test.each<Criteria>([{}, { x: 1 }, { a: { $not: { $gt: 5 } } }, { a: { $size: 3 } }])(
    'is missing where none was needed: %o',
    (criteria) => {
      expect(() => project(DOC, { 'a.$': 1 }, criteria)).toThrow(InvalidQueryError);
    },
  );
});

describe('laws', () => {
  test('the document is never changed, and what is left out of one list is all that the other leaves', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const make = new Generator(seed);
        const doc = make.doc(1);
        const before = cloneValue(doc);
        const names = Object.keys(doc).filter(() => make.random.chance(0.5) && true);
        const kept = project(doc, Object.fromEntries([['_id', 0], ...names.map((n) => [n, 1])]));
        const left = project(doc, Object.fromEntries([['_id', 0], ...names.map((n) => [n, 0])]));
        if (names.includes('_id') || names.length === 0) return;
        const all = Object.keys(doc).filter((name) => name !== '_id');
        expect([...Object.keys(kept), ...Object.keys(left)].sort()).toEqual(all.sort());
        expect(equalValues(doc, before)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('__proto__ is data', () => {
    const doc = JSON.parse('{"__proto__":{"a":1,"b":2},"x":1}');
    expect(JSON.stringify(project(doc, ['__proto__.a']))).toBe('{"__proto__":{"a":1}}');
    expect(JSON.stringify(project(doc, JSON.parse('{"__proto__":0}')))).toBe('{"x":1}');
    expect(JSON.stringify(project(doc, { x: 0 }))).toBe('{"__proto__":{"a":1,"b":2}}');
  });
});
