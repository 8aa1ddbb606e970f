import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { PlainValue } from '../../src/msonable/plain-value.js';
import { setOwn } from '../../src/util/set-own.js';

const ODD_KEYS = [
  '__proto__',
  'constructor',
  '',
  'a.b',
  '$set',
  'toString',
  '10',
  '9',
  'n',
  'null',
  '@module',
];

/** Any plain value: bigints beyond 2^53, NaN, -0, odd keys and nesting included. */
export function plainValues({ surrogates = true } = {}): fc.Arbitrary<PlainValue> {
  const text = surrogates
    ? fc.string({ unit: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\ud800')) })
    : fc.string({ unit: 'binary' });
  const big = fc
    .bigInt()
    .filter((value) => !Number.isSafeInteger(Number(value)) || value > 2n ** 53n);
  const number = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(-0, 2 ** 53, 1e16, 1e21, 1e22, 1e-7, 0.00001, 5e-324, Number.MAX_VALUE),
  );
  const { value } = fc.letrec<{ value: PlainValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constant(null),
      fc.boolean(),
      number,
      big,
      text,
      fc.array(tie('value')),
      fc.array(fc.tuple(fc.oneof(text, fc.constantFrom(...ODD_KEYS)), tie('value'))).map(recordOf),
    ),
  }));
  return value;
}

function recordOf(entries: [string, PlainValue][]): PlainValue {
  const record = {};
  for (const [key, value] of entries) setOwn(record, key, value);
  return record;
}

/** Compares as node does: vitest takes a key called `constructor` for the class of a record. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected))
    expect.fail(
      `expected ${inspect(expected, { depth: 9 })}, got ${inspect(actual, { depth: 9 })}`,
    );
}
