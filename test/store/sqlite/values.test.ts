import { deepStrictEqual } from 'node:assert/strict';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
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
import { expect, test } from 'vitest';
import type { Doc } from '../../../src/query/document.js';
import { decodeDocument, encodeDocument } from '../../../src/store/sqlite/document-codec.js';
import { SEED } from '../../effort.js';
import { Generator } from '../../query/generate.js';
import { opened } from './support.js';

const id = new ObjectId('562e8301218dcbbc3d7d91ce');

const VALUES: Readonly<Record<string, unknown>> = {
  date: new Date('2020-01-02T03:04:05.678Z'),
  'a date of the first century': new Date('0099-01-02T00:00:00.000Z'),
  'a date before Christ': new Date(-1e14),
  'the last date': new Date(8.64e15),
  objectId: id,
  uuid: new UUID('12345678-1234-5678-1234-567812345678'),
  long: Long.fromString('9007199254740993'),
  'the lowest long': Long.MIN_VALUE,
  'an unsigned long': Long.MAX_UNSIGNED_VALUE,
  int32: new Int32(7),
  double: new Double(7),
  decimal: Decimal128.fromString('1.50'),
  'a huge decimal': Decimal128.fromString('-1E+6111'),
  'no decimal': Decimal128.fromString('NaN'),
  'not a number': Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
  'negative zero': -0,
  float: 1.5e-300,
  integer: 2 ** 53 - 1,
  text: 'Å😀\u0000"\\\n\u2028',
  'a broken text': '\ud800 \udc00',
  empty: '',
  nothing: null,
  yes: true,
  regex: /^a\/b[\]]/i,
  'a regex with all flags': /a/dgimsuy,
  bsonRegex: new BSONRegExp('^a', 'ix'),
  binary: new Binary(Uint8Array.from([0, 255, 1]), 0),
  'no bytes': new Binary(new Uint8Array(0), 0),
  'user-defined bytes': new Binary(Uint8Array.from([1, 2]), 128),
  timestamp: new Timestamp({ t: 4_294_967_295, i: 1 }),
  minKey: new MinKey(),
  maxKey: new MaxKey(),
  code: new Code('return 1'),
  'code with scope': new Code('return x', { x: 1, at: [new Date(7)] }),
  symbol: new BSONSymbol('s'),
  reference: new DBRef('other', id),
  'a reference with fields': new DBRef('other', id, 'db', { at: new Date(7), n: 1 }),
  'like extended JSON': { $oid: 'no', $date: { $numberLong: '1' } },
  'like our list': { repairs: [['o', '_id']] },
  nested: { list: [[{ at: new Date(0) }], id, [], {}] },
  odd: JSON.parse('{"__proto__": {"__proto__": 1}, "constructor": 2, "": 3, "a.b": 4, "$x": 5}'),
  'odd values': JSON.parse('{"__proto__": null, "1": 0}'),
};

test.each(Object.entries(VALUES).map(([name, value]) => ({ name, value })))(
  'gives back as it was: $name',
  async ({ value }) => {
    const store = await opened();
    const docs: Doc[] = [
      { _id: 1, k: 1, value },
      { _id: 2, k: 2, value: { deep: [value, { value }] }, value2: value },
    ];
    await store.update(docs);
    await store.ensureIndex('value');
    deepStrictEqual(await store.query().toArray(), docs);
    const sorted = await store.query({}, { sort: { value: 1 } }).toArray();
    deepStrictEqual(
      sorted.sort((a, b) => a['_id'] - b['_id']),
      docs,
    );
    await store.close();
  },
);

test('gives back special values under a key called __proto__', () => {
  const doc: Doc = {};
  const field = { value: new Date(5), enumerable: true, configurable: true, writable: true };
  Object.defineProperty(doc, '__proto__', field);
  const decoded = decodeDocument(encodeDocument(doc));
  deepStrictEqual(Object.entries(decoded), [['__proto__', new Date(5)]]);
  expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
});

test('gives back random documents, and does not change what it writes', () => {
  console.log(`random documents: TEST_SEED=${SEED}`);
  const generator = new Generator(SEED);
  for (let i = 0; i < 1000; i++) {
    const doc = generator.doc(i);
    const before = encodeDocument(doc);
    deepStrictEqual(encodeDocument(decodeDocument(before)), before);
    deepStrictEqual(encodeDocument(doc), before);
  }
});

test('keeps the value of an index beside it as it was', async () => {
  const store = await opened();
  const docs = Object.values(VALUES)
    .filter((value) => value !== null && !(typeof value === 'number' && Number.isNaN(value)))
    .map((value, i) => ({ _id: i, k: { i, value }, last_updated: value }));
  await store.update(docs);
  const properties = { _id: 0, k: 1, last_updated: 1 } as const;
  const found = await store.query({}, { properties, sort: { k: 1 } }).toArray();
  deepStrictEqual(
    found.sort((a, b) => a['k'].i - b['k'].i),
    docs.map(({ _id, ...rest }) => rest),
  );
  await store.close();
});

test('takes any kind of value as _id except arrays and regular expressions', async () => {
  const store = await opened({ key: '_id' });
  const ids = [1, 'a', id, new Date(1), null, true, { a: 1 }, Long.fromString('9007199254740993')];
  await store.update(ids.map((_id) => ({ _id, v: 1 })));
  await store.update(ids.map((_id) => ({ _id, v: 2 })));
  expect(await store.count()).toBe(ids.length);
  for (const _id of ids)
    if (_id !== null) expect(await store.queryOne({ _id })).toMatchObject({ v: 2 });
  for (const _id of [[1], /a/])
    await expect(store.update({ _id, v: 1 })).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
  await store.close();
});
