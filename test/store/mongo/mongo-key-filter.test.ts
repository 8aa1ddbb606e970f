import { BSONRegExp, calculateObjectSize, Decimal128, Long, ObjectId, UUID } from 'bson';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../src/query/criteria.js';
import type { Doc } from '../../../src/query/document.js';
import { compileForServer } from '../../../src/store/mongo/mongo-criteria.js';
import { keyFilter } from '../../../src/store/mongo/mongo-key-filter.js';
import { prepareDocument, storedSize } from '../../../src/store/mongo/mongo-size.js';

describe('the filter for a key', () => {
  const finds = (doc: Doc, paths: string[], other: Doc) =>
    compileFilter(keyFilter(doc, paths)).matches(other);

  test('finds the same key', () => {
    for (const k of ['a', 0, null, true, ['a', 'b'], { x: 1 }, new Date(5), new ObjectId()])
      expect(finds({ k }, ['k'], { k, other: 1 })).toBe(true);
    expect(finds({ k: 1 }, ['k'], { k: Long.fromNumber(1) })).toBe(true);
    expect(finds({ a: { b: 1 } }, ['a.b'], { a: { b: 1, c: 2 } })).toBe(true);
    expect(finds({ a: [{ b: 1 }] }, ['a.0.b'], { a: [{ b: 1 }] })).toBe(true);
    expect(finds({ x: 1, y: 2 }, ['x', 'y'], { y: 2, x: 1 })).toBe(true);
    expect(finds({ _id: 1 }, ['_id'], { _id: 1 })).toBe(true);
  });

  test('does not find what an equality of MongoDB finds besides', () => {
    expect(finds({ k: 'a' }, ['k'], { k: ['a', 'b'] })).toBe(false);
    expect(finds({ k: ['a'] }, ['k'], { k: [['a'], 'b'] })).toBe(false);
    expect(finds({ k: null }, ['k'], {})).toBe(false);
    expect(finds({ k: null }, ['k'], { k: [null] })).toBe(false);
    expect(finds({ a: { b: 1 } }, ['a.b'], { a: [{ b: 1 }] })).toBe(false);
    expect(finds({ a: { b: null } }, ['a.b'], { a: {} })).toBe(false);
    expect(finds({ x: 1, y: 2 }, ['x', 'y'], { x: 1, y: 3 })).toBe(false);
  });
});

describe('the bound of a size', () => {
  test.each([
    {},
    { a: 1, b: 1.5, c: 'text', d: 'ä€😀', e: null, f: true, g: new Date() },
    { ä: { '€': [1, ['x', { y: [] }], new Array(2000).fill(7)] } },
    { _id: new ObjectId(), u: new UUID(), d: Decimal128.fromString('1'), l: Long.MAX_VALUE },
    { r: /a+/i, list: [/b/s], code: new BSONRegExp('x'.repeat(300), 'i') },
  ])('is never less than the size: %#', (doc) => {
    const bound = prepareDocument(doc);
    expect(bound).toBeGreaterThanOrEqual(calculateObjectSize(doc));
    expect(bound).toBeLessThan(4 * calculateObjectSize(doc) + 20);
  });

  test('the size counts the _id that the server will add', () => {
    const size = calculateObjectSize({ a: 1, _id: new ObjectId() });
    expect(storedSize({ a: 1 })).toBe(size);
    expect(storedSize({ a: 1, _id: new ObjectId() })).toBe(size);
  });
});

describe('regular expressions for the server', () => {
  const criteria = () =>
    compileForServer({ a: /x/gi, b: { $in: [/y/s] }, c: { $not: /z/m } }).criteria;

  test('keep the flags i, m and s, and lose the others', () => {
    expect(criteria()['a']).toEqual(new BSONRegExp('x', 'i'));
    expect(criteria()['b']).toEqual({ $in: [new BSONRegExp('y', 's')] });
    expect(criteria()['c']).toEqual({ $not: new BSONRegExp('z', 'm') });
  });

  test('the caller keeps its own', () => {
    const mine = { a: /x/s };
    compileForServer(mine);
    expect(mine).toEqual({ a: /x/s });
  });
});
