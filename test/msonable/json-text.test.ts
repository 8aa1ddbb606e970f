import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeserializationError } from '../../src/errors/serialization-errors.js';
import { parseJson } from '../../src/msonable/json-reader.js';
import { printJson, printNumber } from '../../src/msonable/json-writer.js';
import type { PlainValue } from '../../src/msonable/plain-value.js';
import { expectSame, plainValues } from './plain-values.js';

/** Python reads `-0` and long integers otherwise than JSON.parse. */
const isReadAlike = (json: string): boolean => !/-0(?![.eE\d])|\d{16}/.test(json);

describe('parseJson', () => {
  test('whatever is printed is read again', () => {
    fc.assert(
      fc.property(plainValues(), fc.constantFrom(undefined, 0, 2, '\t'), (value, indent) => {
        expectSame(parseJson(printJson(value, { indent })), value);
        expectSame(parseJson(printJson(value, { ensureAscii: false })), value);
      }),
      { numRuns: 200 },
    );
  });

  test('the scanner agrees with JSON.parse where both apply', () => {
    fc.assert(
      fc.property(fc.json().filter(isReadAlike), fc.boolean(), (json, isSpaced) => {
        const expected = JSON.parse(json) as PlainValue;
        const text = isSpaced ? JSON.stringify(expected, null, ' ') : json;
        // A long integer beside it keeps the engine's own parser out.
        const [value, big] = parseJson(`[${text}, 12345678901234567890]`) as PlainValue[];
        expect(big).toBe(12345678901234567890n);
        expectSame(value, expected);
      }),
    );
  });

  test('integers are exact on both sides of 2^53', () => {
    expect(parseJson('[9007199254740991, 9007199254740993, -9007199254740993]')).toEqual([
      9007199254740991,
      9007199254740993n,
      -9007199254740993n,
    ]);
    expect(parseJson('{"a": 0.1234567890123456, "b": "12345678901234567890"}')).toEqual({
      a: 0.1234567890123456,
      b: '12345678901234567890',
    });
    expect(parseJson('12345678901234567890.0')).toBe(Number('12345678901234567890'));
  });

  test('an integer of too many digits is refused before it is computed', () => {
    expect(parseJson('9'.repeat(4300))).toBeTypeOf('bigint');
    const start = performance.now();
    expect(() => parseJson(`[${'9'.repeat(5_000_000)}]`)).toThrow(
      /at most 4300 digits, got 5000000/,
    );
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('nesting is bounded, however the text looks', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(parseJson(nested(990))).toBeInstanceOf(Array);
    expect(() => parseJson(nested(1200))).toThrow(/at most 990 levels/);
    expect(() => parseJson('{"a":'.repeat(200_000))).toThrow(DeserializationError);
    expect(parseJson(JSON.stringify('['.repeat(5000)))).toBe('['.repeat(5000));
  });

  test.each([
    ['', 'expected a value (line 1, column 1, where the text ends)'],
    ['[1,]', 'expected a value after ",", got "]": remove the comma (line 1, column 4'],
    ['{"a":1,}', 'expected a value after ",", got "}": remove the comma (line 1, column 8'],
    ['{\n  "a": 1\n  "b": 2}', 'expected "," or "}" (line 3, column 3'],
    ['[1] // c', 'expected the end of the text (line 1, column 5'],
    ["{'a': 1}", 'expected a key in double quotes (line 1, column 2'],
    ['{"a" 1}', 'expected ":" after the key (line 1, column 6'],
    [
      '"a\tb"',
      'expected no control character in a string: write it as an escape (line 1, column 3',
    ],
    ['"\\x"', 'expected one of the escapes that JSON has (line 1, column 2'],
    ['"abc', 'expected a string, got one without an end (line 1, column 1'],
    ['\ufeff{}', 'expected a value, got a byte order mark: save the text as plain UTF-8'],
    ['nul', 'expected a value (line 1, column 1'],
    ['01', 'expected the end of the text (line 1, column 2'],
    ['+1', 'expected a value'],
    ['.5', 'expected a value'],
    ['1.', 'expected the end of the text'],
    ['[1 2]', 'expected "," or "]"'],
    ['\u00a01', 'expected a value'],
  ])('%j is refused', (text, message) => {
    expect(() => parseJson(text)).toThrow(message);
    expect(() => parseJson(text)).toThrow(DeserializationError);
  });

  test('odd keys are data', () => {
    for (const tail of ['', ', "n": 12345678901234567890']) {
      const text = `{"__proto__": {"polluted": 1}, "constructor": {"prototype": 2}, "": 3${tail}}`;
      const value = parseJson(text) as object;
      expect(Object.keys(value).slice(0, 3)).toEqual(['__proto__', 'constructor', '']);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
    expect('polluted' in {}).toBe(false);
  });
});

describe('printJson', () => {
  test.each([
    [1, '1'],
    [-0, '-0.0'],
    [0.1, '0.1'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1e-7, '1e-07'],
    [5e-324, '5e-324'],
    [123456789.125, '123456789.125'],
    [2 ** 53, '9007199254740992.0'],
    [1e16, '1e+16'],
    [Number('123456789012345680'), '1.2345678901234568e+17'],
    [1e22, '1e+22'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d is %s, as in Python', (value, text) => {
    expect(printNumber(value)).toBe(text);
  });

  test('escapes as Python does', () => {
    expect(printJson('é\u007f/\ud83d\ude00\u0000"\\')).toBe(
      '"\\u00e9\\u007f/\\ud83d\\ude00\\u0000\\"\\\\"',
    );
    expect(printJson('é\u007f', { ensureAscii: false })).toBe('"é\u007f"');
  });

  test('empty containers stay on one line', () => {
    expect(printJson({ a: [], b: {} }, { indent: 2 })).toBe('{\n  "a": [],\n  "b": {}\n}');
  });

  test('keys are sorted by code points', () => {
    expect(printJson({ '\ud83d\ude00': 1, '\uffff': 2, a: 3 }, { sortKeys: true })).toBe(
      '{"a": 3, "\\uffff": 2, "\\ud83d\\ude00": 1}',
    );
  });
});
