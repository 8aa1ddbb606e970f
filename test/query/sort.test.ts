import { Decimal128, Long, MinKey } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import type { Doc } from '../../src/query/document.js';
import type { SortSpec } from '../../src/query/sort.js';
import { compileSort, Sort } from '../../src/query/sort.js';
import { Generator } from './generate.js';
import { deepFreeze } from './support.js';

/** The positions of the documents in sorted order; ties keep their order. */
const order = (docs: readonly Doc[], spec: SortSpec) => {
  const { compare } = compileSort(deepFreeze(spec));
  return deepFreeze([...docs.entries()])
    .toSorted(([, a], [, b]) => compare(a, b))
    .map(([position]) => position);
};

describe('compileSort', () => {
  const mixed = [
    { a: 'x' },
    { a: 5 },
    {},
    { a: null },
    { a: true },
    { a: { b: 1 } },
    { a: [] },
    { a: new MinKey() },
  ];

  test.each<[string, readonly Doc[], SortSpec, number[]]>([
    [
      'kinds in order of BSON, an empty array below null',
      mixed,
      { a: 1 },
      [7, 6, 2, 3, 1, 0, 5, 4],
    ],
    ['the same, descending', mixed, { a: -1 }, [4, 5, 0, 1, 2, 3, 6, 7]],
    [
      'numbers of all classes by value',
      [{ a: Long.fromNumber(3) }, { a: Decimal128.fromString('2.5') }, { a: 2 }],
      { a: 1 },
      [2, 1, 0],
    ],
    [
      'by several fields',
      [
        { a: 1, b: 1 },
        { a: 1, b: 2 },
        { a: 0, b: 0 },
      ],
      { a: 1, b: -1 },
      [2, 1, 0],
    ],
    [
      'by the order of the fields',
      [
        { a: 1, b: 2 },
        { a: 2, b: 1 },
      ],
      { b: 1, a: 1 },
      [1, 0],
    ],
    [
      'by dotted paths',
      [{ a: { b: 2 } }, { a: { b: 1 } }, {}, { a: 5 }],
      { 'a.b': 1 },
      [2, 3, 1, 0],
    ],
    [
      'arrays by their smallest element',
      [{ a: [3, 0] }, { a: [8, -1] }, { a: 2 }],
      { a: 1 },
      [1, 0, 2],
    ],
    [
      'arrays by their largest, descending',
      [{ a: [3, 0] }, { a: [8, -1] }, { a: 5 }],
      { a: -1 },
      [1, 2, 0],
    ],
    [
      'arrays in arrays whole',
      [{ a: [[2, 9]] }, { a: [[1, 10]] }, { a: [5] }],
      { a: 1 },
      [2, 1, 0],
    ],
    [
      'through arrays of documents',
      [{ a: [{ x: 2 }, { x: 3 }] }, { a: [{ x: 1 }, { x: 9 }] }],
      { 'a.x': 1 },
      [1, 0],
    ],
    [
      'what an element lacks as null',
      [{ a: [{ x: 2 }, {}] }, { a: [{ x: 1 }] }, { a: [7] }],
      { 'a.x': 1 },
      [0, 2, 1],
    ],
    [
      'an empty array on the way as null',
      [{ a: [{ x: 1 }] }, { a: [] }, { a: [{ x: [] }] }],
      { 'a.x': 1 },
      [2, 1, 0],
    ],
    ['an element by its index', [{ a: [9, 1] }, { a: [3, 7] }], { 'a.0': 1 }, [1, 0]],
    // Both values come from one element, as in an index; DocumentDB takes each from any element.
    [
      'two fields of one array together',
      [
        {
          a: [
            { x: 1, y: 9 },
            { x: 2, y: 0 },
          ],
        },
        { a: [{ x: 1, y: 5 }] },
      ],
      { 'a.x': 1, 'a.y': 1 },
      [1, 0],
    ],
    [
      'two arrays each for itself',
      [
        { a: [1, 2], b: [7] },
        { a: [1, 5], b: [9, 2] },
      ],
      { a: 1, b: 1 },
      [1, 0],
    ],
    [
      'fields named constructor and __proto__',
      [JSON.parse('{"constructor":1,"__proto__":2}'), {}],
      { constructor: 1, ['__proto__']: 1 } as SortSpec,
      [1, 0],
    ],
    ['by nothing', [{ a: 2 }, { a: 1 }], {}, [0, 1]],
  ])('sorts %s', (_, docs, spec, positions) => {
    expect(order(docs, spec)).toEqual(positions);
  });

  test('takes the constants, and copies the spec', () => {
    const spec: SortSpec = { a: Sort.Ascending, b: Sort.Descending };
    const sort = compileSort(spec);
    spec['a'] = -1;
    expect(sort.spec).toEqual({ a: 1, b: -1 });
    expect(sort.compare({ a: 1 }, { a: 2 })).toBeLessThan(0);
    expect(compileSort({ a: Long.NEG_ONE } as unknown as SortSpec).spec).toEqual({ a: -1 });
  });

  test.each([
    [{ a: 2 }],
    [{ a: 0 }],
    [{ a: true }],
    [{ a: 'asc' }],
    [{ a: null }],
    [{ a: { $meta: 'textScore' } }],
    [{ '': 1 }],
    [{ 'a.': 1 }],
    [{ 'a..b': 1 }],
    [{ $a: 1 }],
    [null],
    [[['a', 1]]],
  ])('refuses %j', (spec) => {
    expect(() => compileSort(spec as unknown as SortSpec)).toThrow(InvalidQueryError);
  });

  test('is a total order, reversed by the opposite directions where there are no arrays', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const make = new Generator(seed);
        const spec = make.sort();
        const { compare } = compileSort(spec);
        const docs = deepFreeze(Array.from({ length: 6 }, (_, id) => make.doc(id)));
        const sorted = docs.toSorted(compare);
        for (const [i, a] of sorted.entries()) {
          for (const b of sorted.slice(i)) {
            expect(compare(a, b)).toBeLessThanOrEqual(0);
            expect(Math.sign(compare(b, a))).toBe(-Math.sign(compare(a, b)) + 0);
          }
        }
        if (docs.some((doc) => JSON.stringify(doc).includes('['))) return;
        const back = Object.entries(spec).map(([path, direction]) => [path, -direction]);
        const reversed = compileSort(Object.fromEntries(back));
        for (const a of docs) {
          for (const b of docs) expect(reversed.compare(a, b)).toBe(compare(b, a));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
