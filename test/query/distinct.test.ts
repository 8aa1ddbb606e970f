import { Decimal128, Long } from 'bson';
import { expect, test } from 'vitest';
import { DistinctCollector, distinctValues } from '../../src/query/distinct.js';
import { deepFreeze } from './support.js';

test.each([
  ['a', [], []],
  ['a', [{}, { b: 1 }], []],
  ['a', [{ a: null }, {}], [null]],
  ['a', [{ a: [1, 2] }, { a: [2, 3] }], [1, 2, 3]],
  ['a', [{ a: [[1], []] }], [[1], []]],
  ['g.h', [{ g: { h: 1 } }, { g: {} }, { g: 5 }], [1]],
  ['n.x', [{ n: [{ x: 1 }, { x: [2, 3] }, 4, {}] }], [1, 2, 3]],
  ['n.1.x', [{ n: [{ x: 1 }, { x: 2 }] }], [2]],
  ['a.length', [{ a: [1] }, { a: 'text' }], []],
  ['constructor', [{}, JSON.parse('{"constructor":1}')], [1]],
  [
    'a',
    [{ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, { a: { x: 1, y: 2 } }],
    [
      { x: 1, y: 2 },
      { y: 2, x: 1 },
    ],
  ],
])('the values of %s in %j are %j', (field, docs, values) => {
  expect(distinctValues(deepFreeze(docs), field)).toEqual(values);
});

test('takes numbers of all classes for one value, the first', () => {
  const docs = [{ a: 1 }, { a: Long.ONE }, { a: Decimal128.fromString('1.0') }];
  expect(distinctValues(docs, 'a')).toEqual([1]);
});

test('collects document by document', () => {
  const collector = new DistinctCollector('a');
  collector.add({ a: 1 });
  expect(collector.values()).toEqual([1]);
  collector.add({ a: [1, 2] });
  expect(collector.values()).toEqual([1, 2]);
});
