import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { expect, test } from 'vitest';
import { compareValues } from '../../../src/query/compare.js';
import type { Doc } from '../../../src/query/document.js';
import { compileSort } from '../../../src/query/sort.js';
import { sortKeys } from '../../../src/query/sort-keys.js';
import {
  encodeExactly,
  encodeForIndex,
  encodeSortKeys,
  isCut,
  kindBounds,
} from '../../../src/store/sqlite/order-preserving.js';
import { SEED } from '../../effort.js';
import { Generator } from '../../query/generate.js';

const decimal = (text: string) => Decimal128.fromString(text);
const long = 'long '.repeat(200);

/** Values close to each other, and to the ends of what there is. */
const SCALARS: readonly unknown[] = [
  new MinKey(),
  null,
  Number.NaN,
  decimal('NaN'),
  -Infinity,
  decimal('-1E+400'),
  -Number.MAX_VALUE,
  -(2 ** 53),
  Long.fromString('-9007199254740993'),
  Long.fromString('-9007199254740995'),
  -1.5,
  decimal('-1.5'),
  decimal('-1.51'),
  -1,
  -Number.MIN_VALUE,
  decimal('-1E-400'),
  decimal('-1.5E-400'),
  -0,
  0,
  decimal('1E-400'),
  decimal('1.5E-400'),
  decimal('12E-401'),
  Number.MIN_VALUE,
  decimal('0.1'),
  0.1,
  decimal('0.10000000000000000555'),
  decimal('0.1000000000000000055511151231257827'),
  decimal('0.1000000000000000056'),
  1,
  Long.fromNumber(1),
  1.5,
  2 ** 53 - 1,
  2 ** 53,
  Long.fromString('9007199254740993'),
  decimal('9007199254740993'),
  decimal('9007199254740993.5'),
  Long.fromString('9007199254740995'),
  2 ** 53 + 2,
  Long.MAX_VALUE,
  Long.MAX_UNSIGNED_VALUE,
  decimal('9.999999999999999999999999999999999E+308'),
  Number.MAX_VALUE,
  decimal('1E+400'),
  decimal('11E+399'),
  Infinity,
  '',
  '\0',
  '\0\0',
  '\u0001',
  'a',
  'a\0',
  'a\0b',
  'a\u0001',
  'ab',
  'ä',
  '\ud7ff',
  '\ud800',
  '\ud800a',
  '\ud800\uffff',
  '\ud800\ud800',
  '\ud800\udc00',
  '\udbff\udfff',
  '\udbff',
  '\udc00',
  '\udc00a',
  '\udfff',
  '\udfff\ud800',
  '\ufffd',
  '\uffff',
  '😀',
  'z'.repeat(300),
  long,
  `${long}1`,
  `${long}2`,
  'é'.repeat(300),
  `${'a'.repeat(511)}😀`,
  `${'a'.repeat(512)}😀`,
  new BSONSymbol('ab'),
  {},
  [],
  new Binary(Buffer.from([])),
  new Binary(Buffer.from([255])),
  new Binary(Buffer.from([0, 1])),
  new Binary(Buffer.from([0, 1]), 4),
  new Binary(Buffer.alloc(600, 1)),
  new ObjectId('000000000000000000000001'),
  new ObjectId('ff0000000000000000000001'),
  false,
  true,
  new Date(-62198755200000),
  new Date(0),
  new Date(8.64e15),
  new Timestamp({ t: 1, i: 2 }),
  new Timestamp({ t: 0xffffffff, i: 2 }),
  new Timestamp({ t: 2, i: 0xffffffff }),
  /a/,
  /a/i,
  new BSONRegExp('a', 'x'),
  new Code('a'),
  new Code('a', { b: 1 }),
  new MaxKey(),
];

const NESTED: readonly unknown[] = [
  ...SCALARS,
  ...SCALARS.flatMap((a) => [{ a }, [a], [a, 1], { a, b: 1 }, { '': a }]),
  { b: 1, a: 1 },
  { a: { a: 1 } },
  [[1], 2],
  [[1, 2]],
  { 'a\0': 1 },
  Array.from({ length: 300 }, (_, i) => i),
  Array.from({ length: 300 }, (_, i) => (i === 299 ? 0 : i)),
];

const sign = (order: number) => Math.sign(order);

function expectOrder(values: readonly unknown[]): void {
  const encoded = values.map((value) => ({
    value,
    exact: encodeExactly(value),
    cut: encodeForIndex(value),
  }));
  for (const a of encoded)
    for (const b of encoded) {
      const order = sign(compareValues(a.value, b.value));
      const exact = sign(Buffer.compare(a.exact, b.exact));
      if (exact !== order) expect([a.value, b.value, exact]).toEqual([a.value, b.value, order]);
      const cut = sign(Buffer.compare(a.cut, b.cut));
      const isRight = cut === order || (cut === 0 && isCut(a.cut) && isCut(b.cut));
      if (!isRight) expect([a.value, b.value, cut]).toEqual([a.value, b.value, order]);
    }
}

test('orders the bytes of values as the values', () => {
  expectOrder(NESTED);
});

test('orders the bytes of random values as the values', () => {
  console.log(`order of random values: TEST_SEED=${SEED}`);
  const generator = new Generator(SEED);
  expectOrder(Array.from({ length: 600 }, () => generator.value(4)));
});

test('keeps no more of a value than an index can hold', () => {
  for (const value of NESTED) expect(encodeForIndex(value).length).toBeLessThanOrEqual(512);
  expect(isCut(encodeForIndex(long))).toBe(true);
  expect(isCut(encodeForIndex('a'))).toBe(false);
});

test('bounds each kind', () => {
  for (const value of SCALARS) {
    const { first, last } = kindBounds(value);
    const bytes = encodeForIndex(value);
    expect(Buffer.compare(first, bytes)).toBeLessThanOrEqual(0);
    expect(Buffer.compare(bytes, last)).toBe(-1);
  }
});

test('orders documents by the text of their sort keys, in all directions', () => {
  console.log(`order of random documents: TEST_SEED=${SEED}`);
  const generator = new Generator(SEED);
  for (let round = 0; round < 40; round++) {
    const sort = compileSort(generator.sort());
    const fields = Object.entries(sort.spec).map(([path, direction]) => ({
      names: path.split('.'),
      direction,
    }));
    const directions = fields.map(({ direction }) => direction);
    const docs: Doc[] = Array.from({ length: 60 }, (_, id) => generator.doc(id));
    docs.push(...SCALARS.map((a) => ({ a, b: 1 })));
    const keys = docs.map((doc) => encodeSortKeys(sortKeys(doc, fields), directions));
    for (const [i, a] of docs.entries())
      for (const [j, b] of docs.entries()) {
        const [left = '', right = ''] = [keys[i], keys[j]];
        const order = left < right ? -1 : Number(left > right);
        if (order !== sign(sort.compare(a, b)))
          expect([sort.spec, a, b, order]).toEqual([sort.spec, a, b, sign(sort.compare(a, b))]);
      }
  }
});
