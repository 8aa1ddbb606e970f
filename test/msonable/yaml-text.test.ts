import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FileFormatError } from '../../src/errors/serialization-errors.js';
import type { PlainValue } from '../../src/msonable/plain-value.js';
import { parseYaml, printYaml } from '../../src/msonable/yaml-text.js';
import { golden, Tally } from './golden-data.js';
import { expectSame, plainValues } from './plain-values.js';
import { fromRepr } from './python-repr.js';

const report = (problem: string): FileFormatError => new FileFormatError('x.yaml', problem);
const parse = (text: string): PlainValue => parseYaml(text, report);

interface YamlCase {
  readonly yaml?: string;
  readonly python_repr?: string;
  readonly loadfn_repr?: string;
  readonly loadfn_error?: object;
}

const TUPLE = 'a key that is a list is its text here';
const ALIKE = 'keys are texts here, so that numbers and texts meet';

const READ: Readonly<Record<string, string>> = {
  "{1: 'int key', 1.5: 'f', None: 'n', True: 't'}": 'a missing key is no text in Python',
  "'\\x85'": 'Python spoils this character when it writes it',
  "{(1, 2): 'tuple key'}": TUPLE,
  '? [1, 2]\n: v\n': TUPLE,
  '1: int key\n1.5: f\ntrue: b\n~: n\n': ALIKE,
  "OrderedDict([('z', 1), ('a', 2)])": 'an ordered map is a Map here',
  'a: !!omap [x: 1]\n': 'an ordered map is a Map here',
};

test('yaml.json: what ruamel reads is read alike', () => {
  const { written_by_dumpfn, read_by_loadfn } = golden<Record<string, YamlCase[]>>('yaml.json');
  const cases = [...(written_by_dumpfn ?? []), ...(read_by_loadfn ?? [])].filter(
    ({ yaml }) => yaml !== undefined,
  );
  const tally = new Tally('yaml.json', READ);
  for (const one of cases) tally.count(one.python_repr ?? one.yaml ?? '', difference(one));
  const { counted, others, notFound } = tally.report(cases.length);
  expect(others).toEqual([]);
  expect(notFound).toEqual([]);
  expect(counted).toBe(cases.length);
});

function difference({ yaml = '', loadfn_repr: repr = '', loadfn_error }: YamlCase): string | null {
  let value: PlainValue;
  try {
    value = parse(yaml);
  } catch (error) {
    return loadfn_error ? null : String(error);
  }
  if (loadfn_error) return `is read as ${JSON.stringify(value)}, but Python fails`;
  const expected = comparable(fromRepr(repr));
  return isDeepStrictEqual(comparable(value), expected) ? null : `${repr} is read otherwise`;
}

/** Bytes as their text: one side has a Buffer, the other a Uint8Array. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (value instanceof Date || value instanceof Set || value instanceof Map) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
}

describe('writing', () => {
  test('texts that YAML 1.1 takes for something else are quoted', () => {
    for (const text of [
      'yes No on OFF y N true null ~ = << 1 -1 1.0 1. .5 1e3 1_000 010 0o17 0x1F 0b1 12:30:45 190:20:30.15',
      '2020-01-02 2020-1-2T03:04:05Z +1 .inf .NaN',
    ].flatMap((line) => line.split(' ')))
      expect(printYaml(text).trim(), text).toBe(`'${text}'`);
    for (const text of ['text', '0.74.0', 'a.json', 'h:22', 'isoformat', 'yesterday', 'v1'])
      expect(printYaml(text).trim(), text).toBe(text);
  });

  test('numbers keep what they are', () => {
    for (const [value, text] of [
      [1, '1'],
      [-0, '-0.0'],
      [1e16, '1e+16'],
      [2 ** 53, '9007199254740992.0'],
      [2n ** 70n, '1180591620717411303424'],
      [Number.NaN, '.nan'],
      [Number.NEGATIVE_INFINITY, '-.inf'],
    ] as const) {
      expect(printYaml(value).trim()).toBe(text);
      expect(parse(text)).toStrictEqual(value);
    }
  });

  test('shared lists are written twice, not as aliases', () => {
    const shared = [1];
    expect(printYaml({ a: shared, b: shared })).toBe('a:\n- 1\nb:\n- 1\n');
  });

  test('whatever is written is read again', () => {
    fc.assert(
      fc.property(plainValues({ surrogates: false }), (value) => {
        expectSame(parse(printYaml(value)), value);
      }),
      { numRuns: 150 },
    );
  });
});

describe('hazards', () => {
  test('a bomb of aliases is refused', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(() => parse(lines.join('\n'))).toThrow(/It is not valid YAML: .*alias/);
  });

  test('deep nesting is an error, not a crash', () => {
    expect(() => parse('['.repeat(20_000))).toThrow(FileFormatError);
  });

  test('an integer of a million digits is refused', () => {
    expect(() => parse(`a: ${'9'.repeat(1_000_000)}`)).toThrow(/1000000 digits, more than 4300/);
  });

  test('__proto__ is a key like others', () => {
    const value = parse('__proto__: {polluted: 1}\nb: 2') as object;
    expect(Object.keys(value)).toEqual(['__proto__', 'b']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });

  test('tags of Python objects are inert', () => {
    expect(parse("a: !!python/object/apply:os.system ['echo x']")).toEqual({ a: ['echo x'] });
  });
});
