import { BSONRegExp } from 'bson';
import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { compileFilter } from '../../src/query/criteria.js';

const finds = (pattern: string, options: string, text: string) =>
  compileFilter({ s: { $regex: pattern, $options: options } }).matches({ s: text });

describe('patterns of PCRE', () => {
  test.each<[string, string, string, boolean]>([
    ['^ab', '', 'abc', true],
    ['^AB', 'i', 'abc', true],
    ['(?i)^AB', '', 'abc', true],
    ['(?is)A.B', '', 'a\nb', true],
    ['É', 'i', 'é', true],
    ['a.b', '', 'a\nb', false],
    ['a.b', '', 'a\rb', true],
    ['a.b', 's', 'a\nb', true],
    ['^.$', '', '😀', true],
    ['^b', '', 'a\nb', false],
    ['^b', 'm', 'a\nb', true],
    ['a$', 'm', 'a\nb', true],
    ['a$', '', 'a\nb', false],
    ['a$', '', 'a\n', true],
    ['a\\Z', '', 'a\n', true],
    ['a\\z', '', 'a\n', false],
    ['\\Aa', 'm', 'b\na', false],
    ['a b # comment', 'x', 'ab', true],
    ['a[ ]b', 'x', 'a b', true],
    ['a\\ b', 'x', 'a b', true],
    ['a\\#b', '', 'a#b', true],
    ['a(?#comment)b', '', 'ab', true],
    ['[[:alpha:]]+[[:digit:]]', '', 'x1', true],
    ['^[[:punct:]]+$', '', '!-/:@[`{~]', true],
    ['^[^[:space:]]$', '', ' ', false],
    ['[]a]', '', ']', true],
    ['[^]a]', '', ']', false],
    ['[\\w-]', '', '-', true],
    ['[\\w-.]', '', '.', true],
    ['[a\\-z]', '', '-', true],
    ['[a\\-z]', '', 'b', false],
    ['a\\-b\\_c\\"\\@', '', 'a-b_c"@', true],
    ['\\Qa.b\\E.', '', 'a.bc', true],
    ['\\Qa.b', '', 'axb', false],
    ['\\x{1F600}', '', '😀', true],
    ['\\pL\\p{Lu}', '', 'éÉ', true],
    ['(?P<n>a)(?P=n)', '', 'aa', true],
    ['(?<n>a)\\k<n>', '', 'aa', true],
    ['a{2}', '', 'aa', true],
    ['a{,2}', '', 'a{,2}', true],
    ['{x}', '', '{x}', true],
    ['x}]', '', 'x}]', true],
    ['a\\h+b', '', 'a \tb', true],
    ['a\\Rb', '', 'a\r\nb', true],
    ['(?=a)a(?!c)', '', 'ab', true],
    ['(?<=a)b', '', 'ab', true],
    ['\\/', '', '/', true],
    ['', '', 'anything', true],
  ])('%j with %j in %j: %s', (pattern, options, text, found) => {
    expect(finds(pattern, options, text)).toBe(found);
  });

  test.each([
    ['(', ''],
    ['[a', ''],
    ['a**', ''],
    ['a++', ''],
    ['(?>a)', ''],
    ['(?R)', ''],
    ['\\K', ''],
    ['(?<n>', ''],
    ['a\0b', ''],
    ['a', 'g'],
  ])('%j with %j is refused', (pattern, options) => {
    expect(() => finds(pattern, options, '')).toThrow(InvalidQueryError);
  });
});

describe('regular expressions as values', () => {
  test.each<[unknown, string, boolean]>([
    [/a.c/, 'a\nc', false],
    [/a.c/s, 'a\nc', true],
    // biome-ignore lint/correctness/noEmptyCharacterClassInRegex: what users write for any character
    [/[^]c/, 'a\nc', true],
    [/^A/i, 'abc', true],
    [/^b/m, 'a\nb', true],
    [/\u{1F600}/u, '😀', true],
    [/\u0061/, 'a', true],
    [new BSONRegExp('A B', 'ix'), 'ab', true],
    [new BSONRegExp('^b', 'm'), 'a\nb', true],
  ])('%o in %j: %s', (regex, text, found) => {
    expect(compileFilter({ s: regex }).matches({ s: text })).toBe(found);
    expect(compileFilter({ s: { $in: [regex] } }).matches({ s: [1, text] })).toBe(found);
    expect(compileFilter({ s: { $not: regex } }).matches({ s: text })).toBe(!found);
    expect(compileFilter({ s: { $regex: regex } }).matches({ s: text })).toBe(found);
  });

  test('a global or sticky one finds the same each time', () => {
    const regex = /a/gy;
    const filter = compileFilter({ s: regex });
    expect([1, 2, 3].map(() => filter.matches({ s: 'a' }))).toEqual([true, true, true]);
    expect(regex.lastIndex).toBe(0);
  });
});
