import {
  Binary,
  BSONRegExp,
  Code,
  DBRef,
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
import { fromPythonDatetime, toPythonDatetime } from '../../src/msonable/datetime.js';
import { asDict, dumps } from '../../src/msonable/dump.js';
import { fromDict, loads } from '../../src/msonable/load.js';
import { Holder } from './holder.js';
import { expectSame, plainValues } from './plain-values.js';

const roundTrip = <T>(value: T): Promise<T> => loads<T>(dumps(value));

describe('every value comes back as itself', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['a text', 'é\u0000'],
    ['NaN', Number.NaN],
    ['-0', -0],
    ['a bigint', 2n ** 70n],
    ['a date', new Date('2024-05-06T07:08:09.123Z')],
    ['a date beyond those of Python', new Date(8.64e15)],
    ['a date before those of Python', new Date(-8.64e15)],
    ['a pattern', /a(b)/giu],
    [
      'a map',
      new Map<unknown, unknown>([
        ['k', new Date(0)],
        [1, new Set([1])],
      ]),
    ],
    ['a set', new Set([1, 'a', null])],
    ['a Float64Array', Float64Array.of(1, Number.NaN, -0)],
    ['a BigInt64Array', BigInt64Array.of(-1n)],
    ['a Uint8Array', Uint8Array.of(1, 2)],
    ['a Buffer', Buffer.from('hi')],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    ['a DataView', new DataView(new Uint8Array([1, 2, 3]).buffer)],
    ['a URL', new URL('mongodb://h/db?x=1')],
    ['an ObjectId', new ObjectId('64b7f0f0f0f0f0f0f0f0f0f0')],
    ['a UUID', new UUID('8f5b7a3e-1c1d-4f6a-9d4c-0a1b2c3d4e5f')],
    ['a Decimal128', Decimal128.fromString('1.50')],
    ['a Long', Long.fromString('9223372036854775807')],
    ['an Int32', new Int32(5)],
    ['a Double', new Double(1.5)],
    ['a Binary', new Binary(Buffer.from([1, 2]), 128)],
    ['a Binary that could be a UUID', new Binary(Buffer.alloc(16, 1), 4)],
    ['a Timestamp', new Timestamp({ t: 5, i: 6 })],
    ['a BSONRegExp', new BSONRegExp('a', 'ix')],
    ['a Code', new Code('f()', { x: 1 })],
    ['a DBRef', new DBRef('c', new ObjectId('64b7f0f0f0f0f0f0f0f0f0f0'), 'db')],
    ['MinKey', new MinKey()],
    ['MaxKey', new MaxKey()],
    // biome-ignore lint/suspicious/noThenProperty: data may have any key
    ['odd keys', { constructor: 1, toString: 2, then: 3, '': 4 }],
    ['a query', { $or: [{ a: { $gt: new Date(1) } }, { name: { $regex: '^a', $options: 'i' } }] }],
    [
      'a document of monty',
      { '@module': 'pymatgen.core.structure', '@class': 'Structure', a: [1] },
    ],
    ['a document of a known class', { '@module': 'maggma_ts.test', '@class': 'Holder', value: 1 }],
    ['a document that names a function', { '@module': 'os', '@callable': 'system' }],
    ['half a tag', { '@class': 'x' }],
    ['a document of extended JSON', { $oid: 'xyz' }],
    ['another', { a: { $date: 'x', extra: 1 } }],
  ])('%s', async (_name, value) => {
    expectSame(await roundTrip({ value, list: [value], nested: { value } }), {
      value,
      list: [value],
      nested: { value },
    });
    const held = await roundTrip(new Holder(value));
    expectSame(held.value, value);
    expectSame((await fromDict<Holder>(asDict(new Holder([value])))).value, [value]);
  });

  test('any plain data', async () => {
    await fc.assert(
      fc.asyncProperty(plainValues(), async (value) => {
        expectSame(await roundTrip(value), value);
        expectSame((await fromDict<Holder>(asDict(new Holder(value)))).value, value);
      }),
      { numRuns: 150 },
    );
  });

  test('undefined: absent from records, null elsewhere', async () => {
    expect(dumps({ a: undefined, b: null, c: [undefined], d: new Array(2) })).toBe(
      '{"b": null, "c": [null], "d": [null, null]}',
    );
    expect(asDict(new Holder(undefined))).toMatchObject({ value: null, s3_url_prefix: null });
    expect((await roundTrip(new Holder(null))).value).toBeNull();
  });

  test('the same object twice is no cycle', () => {
    const shared = { a: 1 };
    expect(dumps([shared, shared])).toBe('[{"a": 1}, {"a": 1}]');
  });
});

describe('what Python lacks has a module that it lacks', () => {
  test.each([
    new Map(),
    new Set(),
    /a/,
    Buffer.from('a'),
    new URL('http://h/'),
    Long.ZERO,
    new Date(8.64e15),
    { '@module': 'a', '@class': 'b' },
  ])('%s', (value) => {
    expect(JSON.parse(dumps(value))['@module']).toBe('maggma_ts.values');
  });
});

describe('dates', () => {
  const dates = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });

  test('are written as naive UTC and read as the same instant', () => {
    fc.assert(
      fc.property(dates, (date) => {
        const text = toPythonDatetime(date) ?? '';
        expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3}000)?$/);
        expect(fromPythonDatetime(text)).toEqual(date);
      }),
    );
  });

  test('the fraction is left out when it is zero', () => {
    expect(toPythonDatetime(new Date('0099-01-02T03:04:05.000Z'))).toBe('0099-01-02 03:04:05');
    expect(toPythonDatetime(new Date('2020-01-02T03:04:05.070Z'))).toBe(
      '2020-01-02 03:04:05.070000',
    );
    expect(toPythonDatetime(new Date('+010000-01-01T00:00:00Z'))).toBeNull();
  });

  test.each([
    ['2020-01-02 03:04:05-05:00', '2020-01-02T08:04:05Z'],
    ['2020-01-02T03:04:05.6+0530', '2020-01-01T21:34:05.6Z'],
    ['2020-01-02 03:04:05.123456789', '2020-01-02T03:04:05.123Z'],
  ])('%s is read', (text, expected) => {
    expect(fromPythonDatetime(text)).toEqual(new Date(expected));
  });

  test.each(['2020-01-02', 'NaT', '2020-13-01 00:00:00', '', '2020-02-30 00:00:00', 5, null])(
    '%j is no datetime',
    (text) => {
      expect(fromPythonDatetime(text)).toBeNull();
    },
  );

  test('an invalid one cannot be written', () => {
    expect(() => dumps({ a: [new Date(Number.NaN)] })).toThrow(/An invalid Date .*\$\.a\[0\]/);
  });
});

describe('a pattern in a query', () => {
  const queryOf = (query: unknown): unknown => asDict(new Holder(1, { query }))['query'];

  test('is written as operators, which Python reads', () => {
    expect(queryOf({ name: /^mp-/ })).toEqual({ name: { $regex: '^mp-' } });
    expect(queryOf({ name: /^mp-/gi, $or: [{ a: /b/m }] })).toEqual({
      name: { $regex: '^mp-', $options: 'i' },
      $or: [{ a: { $regex: 'b', $options: 'm' } }],
    });
    expect(queryOf({ name: { $not: /a/, $regex: /b/i } })).toEqual({
      name: { $not: { $regex: 'a' }, $regex: 'b', $options: 'i' },
    });
    expect(queryOf({ name: { $regex: /b/i, $options: 's' } })).toEqual({
      name: { $regex: 'b', $options: 's' },
    });
    expect(queryOf({ name: new BSONRegExp('a', 'x') })).toEqual({
      name: { $regex: 'a', $options: 'x' },
    });
  });

  test('stays a value where MongoDB takes no operators', async () => {
    const query = { name: { $in: [/a/, 'b'] }, other: { $eq: /c/ } };
    expect(await loads<Holder>(dumps(new Holder(1, { query })))).toMatchObject({ query });
  });

  test('elsewhere it is a value', async () => {
    expect(asDict(new Holder({ name: /a/ }))).toMatchObject({
      value: { name: { '@module': 'maggma_ts.values', '@class': 'RegExp' } },
    });
  });
});

describe('extended JSON', () => {
  test('is read in JSON texts and not in plain data', async () => {
    const text = '{"a": {"$oid": "64b7f0f0f0f0f0f0f0f0f0f0"}}';
    expect(await loads(text)).toEqual({ a: new ObjectId('64b7f0f0f0f0f0f0f0f0f0f0') });
    expect(await fromDict(JSON.parse(text))).toEqual(JSON.parse(text));
  });

  test.each([
    ['{"$binary": "AQID", "$type": "00"}', new Binary(Buffer.from([1, 2, 3]), 0)],
    ['{"$numberLong": "5"}', 5],
    ['{"$numberLong": "9007199254740993"}', 9007199254740993n],
    ['{"$numberDouble": "-Infinity"}', Number.NEGATIVE_INFINITY],
    ['{"$regularExpression": {"pattern": "a(?<b", "options": ""}}', new BSONRegExp('a(?<b', '')],
    [
      '{"$dbPointer": {"$ref": "c", "$id": {"$oid": "64b7f0f0f0f0f0f0f0f0f0f0"}}}',
      new DBRef('c', new ObjectId('64b7f0f0f0f0f0f0f0f0f0f0')),
    ],
    ['{"$code": "f", "$scope": {"x": {"$numberInt": "1"}}}', new Code('f', { x: 1 })],
  ])('%s', async (text, expected) => {
    expect(await loads(text)).toEqual(expected);
  });

  test.each([
    ['{"$oid": 5}', /24 hexadecimal digits, got 5/],
    ['{"$date": true}', /"\$date" to be a time/],
    ['{"$date": {"$numberLong": "1", "x": 2}}', /nothing beside "\$numberLong", got also "x"/],
    ['{"$date": null}', /"\$date" to be a time/],
    ['{"$numberLong": "1.5"}', /whole number/],
    ['{"$numberDouble": "abc"}', /a number as text/],
    ['{"$binary": {"base64": "*", "subType": "00"}}', /base64/],
    ['{"$timestamp": {"t": "x"}}', /whole numbers "t" and "i"/],
    ['{"$minKey": 2}', /"\$minKey" to be 1/],
    ['{"$numberDecimal": "x"}', /not a valid Decimal128/],
    ['{"$symbol": 1}', /a string, got 1/],
  ])('%s is refused, with its place', async (text, message) => {
    await expect(loads(`{"a": ${text}}`)).rejects.toMatchObject({
      code: 'DESERIALIZATION',
      path: expect.stringMatching(/^\$\.a/),
      message: expect.stringMatching(message),
    });
  });
});

describe('malformed values of ours', () => {
  test.each([
    ['dict', {}],
    ['Map', { data: 5 }],
    ['Map', { data: [5] }],
    ['URL', { string: 'no url' }],
    ['RegExp', { source: '(', flags: '' }],
    ['Long', { ejson: 5 }],
    ['Float64Array', { base64: 'AQ==' }],
    ['Buffer', {}],
  ])('%s %j', async (name, body) => {
    const dict = { '@module': 'maggma_ts.values', '@class': name, ...body };
    await expect(fromDict({ a: dict })).rejects.toMatchObject({
      code: 'DESERIALIZATION',
      path: expect.stringMatching(/^\$\.a/),
    });
  });
});
