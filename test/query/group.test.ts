import { Decimal128, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { equalValues } from '../../src/query/compare.js';
import type { Doc } from '../../src/query/document.js';
import { groupKey } from '../../src/query/group.js';
import { Generator } from './generate.js';
import { deepFreeze } from './support.js';

describe('groupKey', () => {
  test.each([
    [{ a: 1 }, ['a'], { a: 1 }],
    [{}, ['a'], {}],
    [{ a: null }, ['a'], { a: null }],
    [{ a: [1, 2] }, ['a'], { a: [1, 2] }],
    [{ a: 1, b: 'x' }, ['b', 'a'], { b: 'x', a: 1 }],
    [{ e: { d: 9 } }, ['e.d'], { e: { d: 9 } }],
    [{ e: {} }, ['e.d'], { e: {} }],
    [{ e: { d: 9, f: 1 } }, ['e.d', 'e.f'], { e: { d: 9, f: 1 } }],
    [{ e: [{ d: 1 }, { d: 2 }, {}, 5] }, ['e.d'], { e: { d: [1, 2] } }],
    [{ e: [[{ d: 1 }]] }, ['e.d'], { e: { d: [] } }],
    [{ e: [5] }, ['e.0'], { e: { '0': [] } }],
    [{ a: 1 }, ['constructor', 'a'], { a: 1 }],
    [{ a: 1 }, [], {}],
  ])('of %j by %j is %j', (doc, keys, group) => {
    expect(groupKey(deepFreeze(doc), keys).group).toEqual(group);
  });

  test.each([
    [{ a: 1 }, { a: Long.ONE }, ['a'], true],
    [{ a: 1 }, { a: Decimal128.fromString('1.0') }, ['a', 'b'], true],
    [{ a: null }, {}, ['a'], false],
    [{ a: null }, {}, ['a', 'b'], false],
    [{ a: 'x', b: 'y' }, { a: 'xy' }, ['a', 'b'], false],
    [{ a: 1 }, { b: 1 }, ['a', 'b'], false],
    [{ a: [1, 2] }, { a: [2, 1] }, ['a'], false],
    [{ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, ['a'], false],
    [{ a: new ObjectId('a'.repeat(24)) }, { a: new ObjectId('a'.repeat(24)) }, ['a'], true],
  ])('puts %o and %o by %j into one group: %s', (one, other, keys, same) => {
    expect(groupKey(one, keys).hash === groupKey(other, keys).hash).toBe(same);
  });

  test('gives one hash to equal groups only', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const make = new Generator(seed);
        const docs: Doc[] = [make.fields(2), make.fields(2)];
        const keys = make.random.pick([['a'], ['a.b'], ['a', 'b'], ['a.b', 'c']]);
        const [one, other] = docs.map((doc) => groupKey(doc, keys));
        expect(one?.hash === other?.hash).toBe(equalValues(one?.group, other?.group));
      }),
      { numRuns: 5000 },
    );
  });

  test('refuses keys inside each other', () => {
    expect(() => groupKey({ e: { d: 1 } }, ['e', 'e.d'])).toThrow(InvalidQueryError);
    expect(() => groupKey({ e: { d: 1 } }, ['e.d', 'e'])).toThrow(InvalidQueryError);
  });

  test('keeps __proto__ as data', () => {
    const doc = JSON.parse('{"__proto__":{"x":1}}');
    expect(JSON.stringify(groupKey(doc, ['__proto__.x']).group)).toBe('{"__proto__":{"x":1}}');
    expect(JSON.stringify(groupKey({}, ['__proto__']).group)).toBe('{}');
  });
});
