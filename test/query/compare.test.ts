import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareValues, equalValues } from '../../src/query/compare.js';
import { Generator } from './generate.js';

const decimal = (text: string) => Decimal128.fromString(text);
const long = (text: string) => Long.fromString(text);

/** From the lowest to the highest; the members of one line are equal. */
const ORDER: readonly (readonly unknown[])[] = [
  [new MinKey()],
  [null, undefined],
  [Number.NaN, decimal('NaN'), new Double(Number.NaN)],
  [-Infinity, decimal('-Infinity')],
  [decimal('-1E+400')],
  [-1.5, decimal('-1.5'), decimal('-15E-1')],
  [decimal('-1E-6000')],
  [0, -0, new Int32(0), long('0'), decimal('0'), decimal('-0'), decimal('0E+3'), 0n],
  [decimal('1E-6000')],
  [decimal('0.1')],
  [0.1, decimal('0.1000000000000000055511151231257827')],
  [decimal('0.1000000000000000055511151231257828')],
  [0.5, decimal('0.5'), decimal('0.50')],
  [1, new Int32(1), new Double(1), long('1'), decimal('1.000'), decimal('10E-1'), 1n],
  [9007199254740991, long('9007199254740991')],
  [9007199254740992, long('9007199254740992'), decimal('9007199254740992')],
  [long('9007199254740993'), decimal('9007199254740993'), 9007199254740993n],
  [9007199254740994, long('9007199254740994')],
  [long('9223372036854775807'), decimal('9223372036854775807')],
  [2 ** 63, decimal('9223372036854775808'), 9223372036854775808n],
  [1e22, decimal('1E+22')],
  [2 ** 200, decimal('1606938044258990275541962092341163E+27')],
  [1e300],
  [decimal('1E+400')],
  [decimal('9.99E+6000')],
  [Infinity, decimal('Infinity')],
  [''],
  ['A'],
  ['a', new BSONSymbol('a')],
  ['a\0'],
  ['ab'],
  ['b'],
  ['é'],
  ['ﬀ'],
  ['😀'],
  ['😁'],
  [{}],
  [{ z: null }],
  [{ a: 1 }, { a: long('1') }],
  [{ a: 1, b: 0 }],
  [{ a: 2 }],
  [{ b: 1 }],
  [{ a: 'x' }],
  [[]],
  [[null]],
  [[1]],
  [[1, 1]],
  [[2]],
  [[[]]],
  [new Binary(Buffer.from([])), Buffer.from([])],
  [new Binary(Buffer.from([9])), Buffer.from([9]), Uint8Array.of(9)],
  [new Binary(Buffer.from([1]), 128)],
  [new Binary(Buffer.from([1, 1]))],
  [new Binary(Buffer.from([1, 2]))],
  [new UUID('00000000-0000-4000-8000-000000000000')],
  [new ObjectId('000000000000000000000001'), new ObjectId('000000000000000000000001')],
  [new ObjectId('000000000000000000000002')],
  [new ObjectId('ff0000000000000000000000')],
  [false],
  [true],
  [new Date(-1)],
  [new Date(0), new Date(0)],
  [new Timestamp({ t: 1, i: 2 })],
  [new Timestamp({ t: 2, i: 1 })],
  [/a/, new BSONRegExp('a')],
  [/a/i, new BSONRegExp('a', 'i')],
  [/b/],
  [new Code('a')],
  [new Code('a', { x: 1 })],
  [new MaxKey()],
];

describe('compareValues', () => {
  test('orders all kinds as BSON does', () => {
    for (const [i, line] of ORDER.entries()) {
      for (const [j, other] of ORDER.entries()) {
        for (const a of line) {
          for (const b of other) {
            expect(Math.sign(compareValues(a, b)), `${String(a)} ? ${String(b)}`).toBe(
              Math.sign(i - j),
            );
          }
        }
      }
    }
  });

  test.each([
    ['\ud83d\ude00', '\ufb00', 1],
    ['\uffff', '\u{10000}', -1],
    ['\ud7ff', '\ue000', -1],
    ['\u{10000}', '\u{10001}', -1],
    [`${'x'.repeat(200)}\u{1f600}`, `${'x'.repeat(200)}\ufb00`, 1],
    ['x'.repeat(100), 'x'.repeat(101), -1],
    [`${'x'.repeat(100)}a`, `${'x'.repeat(100)}b`, -1],
  ])('orders the strings %j and %j by UTF-8 bytes', (a, b, order) => {
    expect(Math.sign(compareValues(a, b))).toBe(order);
    expect(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))).toBe(order);
  });

  test('orders strings like Buffer.compare of their UTF-8', () => {
    const text = fc.string({ unit: 'binary', maxLength: 120 });
    fc.assert(
      fc.property(text, text, text, (common, a, b) => {
        const bytes = Buffer.compare(Buffer.from(common + a), Buffer.from(common + b));
        expect(Math.sign(compareValues(common + a, common + b))).toBe(bytes);
      }),
    );
  });

  test('orders doubles and long integers by their exact value', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.oneof(fc.double({ noNaN: true }), fc.double({ min: -1e19, max: 1e19, noNaN: true })),
        (whole, double) => {
          const wanted = whole < double ? -1 : Number(whole > double);
          expect(Math.sign(compareValues(Long.fromBigInt(whole), double))).toBe(wanted);
          expect(Math.sign(compareValues(decimal(`${whole}`), double))).toBe(wanted);
          expect(compareValues(decimal(`${whole}`), Long.fromBigInt(whole))).toBe(0);
        },
      ),
    );
  });

  test('orders decimals as the same decimals scaled to whole numbers', () => {
    const parts = fc.tuple(
      fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }),
      fc.integer({ min: -40, max: 40 }),
    );
    fc.assert(
      fc.property(parts, parts, ([a, p], [b, q]) => {
        const [left, right] = [a * 10n ** BigInt(p + 40), b * 10n ** BigInt(q + 40)];
        const wanted = left < right ? -1 : Number(left > right);
        const order = compareValues(decimal(`${a}E${p}`), decimal(`${b}E${q}`));
        expect(Math.sign(order)).toBe(wanted);
      }),
    );
  });

  test('is a total order over mixed kinds', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const make = new Generator(seed);
        const [a, b, c] = [make.value(3), make.value(3), make.value(3)];
        expect(compareValues(a, a)).toBe(0);
        expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0);
        const [low, middle, high] = [a, b, c].sort(compareValues);
        expect(compareValues(low, middle)).toBeLessThanOrEqual(0);
        expect(compareValues(middle, high)).toBeLessThanOrEqual(0);
        expect(compareValues(low, high)).toBeLessThanOrEqual(0);
        expect(equalValues(a, b)).toBe(compareValues(a, b) === 0);
      }),
      { numRuns: 5000 },
    );
  });

  test('takes fields named __proto__ for data', () => {
    const data = JSON.parse('{"__proto__":1}');
    expect(equalValues(data, {})).toBe(false);
    expect(equalValues(data, JSON.parse('{"__proto__":1}'))).toBe(true);
  });

  test('gives the same for ObjectIds of another version of bson', () => {
    class OtherId {
      readonly #hex: string;
      constructor(hex: string) {
        this.#hex = hex;
      }
      get _bsontype() {
        return 'ObjectId';
      }
      toHexString() {
        return this.#hex;
      }
    }
    const id = new ObjectId();
    expect(equalValues(new OtherId(id.toHexString()), id)).toBe(true);
    expect(compareValues(new OtherId('f'.repeat(24)), new ObjectId('e'.repeat(24)))).toBe(1);
  });
});
