import {
  Binary,
  BSONRegExp,
  Decimal128,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'bson';
import mongodb from 'mongodb';
import { beforeAll, expect, test, vi } from 'vitest';
import type { Doc } from '../../../src/query/document.js';
import { hashValue } from '../../../src/query/hash.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import type { QueryOptions } from '../../../src/store/store-options.js';
import { connected, describeMongo, mongoStore, uniqueDatabase, withClient } from './server.js';

const OID = (n: number) => new ObjectId(n.toString(16).padStart(24, '0'));
const DAY = (n: number) => new Date(Date.UTC(2024, 0, n));

/** Documents of many shapes; `task_id` is the key. */
const DOCS: readonly Doc[] = [
  { _id: 1, task_id: 'a', v: 1, tags: ['x', 'y'], n: { h: 1 }, last_updated: DAY(1) },
  { _id: 2, task_id: 'b', v: 2.5, tags: ['y'], n: { h: [1, 2] }, last_updated: DAY(2) },
  { _id: 3, task_id: 'c', v: null, tags: [], n: [{ h: 3 }, { h: 4 }, { g: 5 }] },
  { _id: 4, task_id: 'd', tags: null, n: null, last_updated: '2024-01-03T00:00:00' },
  { _id: 5, task_id: 'e', v: '1', tags: 'x', n: { h: null }, last_updated: DAY(3) },
  { _id: 6, task_id: 'f', v: [1, 2, [3]], tags: [['x'], 'z'], n: { h: { i: 1 } } },
  { _id: 7, task_id: 'g', v: { a: 1, b: 2 }, tags: ['x', null], last_updated: DAY(4) },
  { _id: 8, task_id: 'h', v: { b: 2, a: 1 }, n: { h: 1 }, last_updated: DAY(4) },
  { _id: 9, task_id: 'i', v: true, n: [], last_updated: null },
  { _id: 10, task_id: 'j', v: DAY(1), n: [{ h: [1, 5] }] },
  { _id: 11, task_id: 'k', v: OID(1), n: { h: 1.5 } },
  { _id: 12, task_id: 'l', v: Long.fromString('9007199254740993') },
  { _id: 13, task_id: 'm', v: Decimal128.fromString('1') },
  { _id: 14, task_id: 'n', v: new UUID('00112233-4455-6677-8899-aabbccddeeff') },
  { _id: 15, task_id: 'o', v: new Binary(Buffer.from([1, 2, 3])) },
  { _id: 16, task_id: 'p', v: /^ab/i, s: 'Straße' },
  { _id: 17, task_id: 'q', v: 'abc\ndef', s: 'strasse' },
  { _id: 18, task_id: 'r', v: -0.5, s: '😀' },
  { _id: 19, task_id: 's', v: new Int32(2), s: 'ﬀ' },
  { _id: 20, task_id: 12, v: 3 },
  { _id: 21, task_id: Long.fromNumber(13), v: 3 },
  { _id: 22, task_id: OID(5), v: { $ref: 1 } },
  { _id: 23, task_id: DAY(9), v: [] },
  { _id: 24, task_id: { x: 1 }, v: [[]] },
  { _id: 25, task_id: ['t', 'u'], v: [{ a: 1 }] },
  { _id: 26, task_id: null, v: 'null key' },
  { _id: 27, task_id: 'z', last_updated: DAY(30) },
];

const FILTERS: readonly Doc[] = [
  {},
  { v: 1 },
  { v: null },
  { v: { $ne: null } },
  { v: { $exists: false } },
  { v: { $gt: 1 } },
  { v: { $lte: 2.5, $gte: -1 } },
  { v: { $in: [1, 'abc\ndef', null, true] } },
  { v: { $nin: [1, 2, 3] } },
  { v: { a: 1, b: 2 } },
  { v: [] },
  { v: { $size: 0 } },
  { v: { $type: 'array' } },
  { v: { $type: ['null', 'string'] } },
  { v: /^abc.def$/s },
  { v: /^def$/m },
  { v: { $regex: 'ABC', $options: 'i' } },
  { v: { $not: /a/g } },
  { v: { $lt: DAY(2) } },
  { v: OID(1) },
  { v: new UUID('00112233-4455-6677-8899-aabbccddeeff') },
  { v: Long.fromString('9007199254740993') },
  { v: undefined },
  { tags: 'x' },
  { tags: ['x', 'y'] },
  { tags: { $all: ['x', 'y'] } },
  { tags: { $elemMatch: { $in: ['y', 'z'] } } },
  { 'tags.0': 'x' },
  { 'n.h': 1 },
  { 'n.h': null },
  { 'n.h': { $exists: true } },
  { 'n.h.i': 1 },
  { 'n.0.h': 3 },
  { n: { $elemMatch: { h: { $gt: 3 } } } },
  { $or: [{ v: 1 }, { s: { $exists: true } }] },
  { $nor: [{ v: { $exists: true } }, { n: null }] },
  { $expr: { $eq: ['$v', '$task_id'] } },
  { last_updated: { $gte: DAY(2) } },
  { task_id: { $in: ['a', 12, 13, 't', null] } },
];

/** A MongoDB-compatible server need not sort an empty array before null, as MongoDB does. */
const NO_EMPTY_ARRAY = { v: { $ne: [] }, tags: { $ne: [] }, n: { $ne: [] } };

const OPTIONS: readonly QueryOptions[] = [
  { properties: ['v'], sort: { _id: 1 } },
  { properties: ['n.h', 'task_id'], sort: { _id: -1 } },
  { properties: { n: 0, _id: 0 }, sort: { _id: 1 } },
  { properties: { tags: { $slice: 1 } }, sort: { _id: 1 } },
  { properties: { n: { $elemMatch: { h: 4 } } }, sort: { _id: 1 } },
  { properties: [], sort: { _id: 1 } },
  { properties: ['_id'], sort: { v: 1, _id: 1 } },
  { properties: ['_id'], sort: { v: -1, _id: 1 } },
  { properties: ['_id'], sort: { 'n.h': 1, _id: -1 } },
  { properties: ['_id'], sort: { tags: -1, _id: 1 } },
  { properties: ['_id'], sort: { s: 1, _id: 1 } },
  { properties: ['_id'], sort: { task_id: 1, _id: 1 }, skip: 3, limit: 5 },
  { sort: { _id: 1 }, skip: 20, limit: 10 },
  { sort: { _id: 1 }, skip: 100 },
];

/** What a list of values is as a set, in a form that compares by MongoDB's equality. */
const asSet = (values: readonly unknown[]) =>
  values.map((value) => String(hashValue(value))).sort();

describeMongo('queries', () => {
  const database = uniqueDatabase();
  const store = connected(() => mongoStore(database, 'docs'));
  const memory = connected(() => new MemoryStore());

  beforeAll(async () => {
    for (const target of [store(), memory()]) await target.update(DOCS as Doc[], { key: '_id' });
  });

  test.each(FILTERS)('answer as a MemoryStore does: %j', async (criteria) => {
    const expected = await memory()
      .query(criteria, { sort: { _id: 1 } })
      .toArray();
    const found = await store()
      .query(criteria, { sort: { _id: 1 } })
      .toArray();
    expect(found.map((doc) => doc['_id'])).toEqual(expected.map((doc) => doc['_id']));
    expect(found.map(hashValue)).toEqual(expected.map(hashValue));
    expect(await store().count(criteria)).toBe(expected.length);
  });

  test.each(OPTIONS)('with options, too: %j', async (options) => {
    const expected = await memory().query(NO_EMPTY_ARRAY, options).toArray();
    const found = await store().query(NO_EMPTY_ARRAY, options).toArray();
    expect(found.map(hashValue)).toEqual(expected.map(hashValue));
  });

  test.each(['v', 'tags', 'n.h', 'n', 'n.0.h', 'tags.0', 'last_updated', 'task_id', 'nowhere'])(
    'distinct values are those of a MemoryStore: %s',
    async (field) => {
      for (const criteria of [{}, { _id: { $gt: 2 } }, { v: 1 }])
        expect(asSet(await store().distinct(field, criteria))).toEqual(
          asSet(await memory().distinct(field, criteria)),
        );
    },
  );

  test('distinct values are of the classes of this package', async () => {
    const values = await store().distinct('v');
    expect(values.some((value) => value instanceof ObjectId)).toBe(true);
    expect(values.some((value) => value instanceof UUID)).toBe(true);
  });

  test.each([['v'], ['tags'], ['n.h'], ['v', 'tags'], ['n.h', 's']])(
    'groups are those of a MemoryStore: %j',
    async (...keys) => {
      const sort = { _id: 1 } as const;
      const groups = async (of: MemoryStore | ReturnType<typeof store>) => {
        const found: unknown[] = [];
        for await (const { group, docs } of of.groupBy(keys, {}, { sort }))
          found.push([hashValue(group), docs.map((doc) => doc['_id'])]);
        return found;
      };
      expect(await groups(store())).toEqual(await groups(memory()));
    },
  );

  test('the newest time stamp is that of a MemoryStore', async () => {
    expect(await store().lastUpdated()).toEqual(await memory().lastUpdated());
    expect(await store().lastUpdated()).toEqual(DAY(30));
  });

  test('what is newer is the same, from and to a server', async () => {
    await using known = mongoStore(database, 'known');
    await using knownHere = new MemoryStore();
    for (const target of [known, knownHere]) {
      await target.connect();
      await target.update([
        { task_id: 'a', last_updated: DAY(1) },
        { task_id: 'b', last_updated: DAY(1) },
        { task_id: 'd', last_updated: '2024-01-03' },
        { task_id: 'g' },
        { task_id: 'h', last_updated: DAY(20) },
        { task_id: 12 },
      ]);
    }
    for (const exhaustive of [true, false]) {
      const options = { exhaustive, criteria: { _id: { $ne: 3 } } };
      const expected = asSet(await knownHere.newerIn(memory(), options).toArray());
      expect(expected.length).toBeGreaterThan(exhaustive ? 10 : 0);
      for (const source of [store(), memory()])
        expect(asSet(await known.newerIn(source, options).toArray())).toEqual(expected);
      expect(asSet(await knownHere.newerIn(store(), options).toArray())).toEqual(expected);
    }
  });

  test('bring back values as other stores give them', async () => {
    await using values = mongoStore(database, 'values');
    await values.connect();
    const doc = {
      task_id: 'all',
      int: 5,
      big: Long.fromString('9223372036854775807'),
      small: Long.fromNumber(7),
      bigint: 10n ** 18n,
      float: 1.5,
      date: DAY(1),
      regex: /a+/im,
      uuid: new UUID('00112233-4455-6677-8899-aabbccddeeff'),
      binary: new Binary(Buffer.from([1, 2])),
      bytes: new Uint8Array([3]),
      decimal: Decimal128.fromString('0.10'),
      id: OID(3),
      stamp: new Timestamp({ t: 1, i: 2 }),
      min: new MinKey(),
      max: new MaxKey(),
      list: [undefined, null, { gone: undefined }],
      gone: undefined,
    };
    await values.update(doc);
    const { _id, ...found } = (await values.queryOne()) as Doc;
    expect(_id).toBeInstanceOf(ObjectId);
    expect(found).toStrictEqual({
      ...Object.fromEntries(Object.entries(doc).filter(([, value]) => value !== undefined)),
      small: 7,
      bigint: Long.fromBigInt(10n ** 18n),
      bytes: new Binary(Buffer.from([3])),
      list: [null, null, {}],
    });
  });

  test('a regular expression with the flag s is stored with its option', async () => {
    await using values = mongoStore(database, 'regexes');
    await values.connect();
    await values.update([{ task_id: 1, list: [{ r: /a.b/s }] }]);
    const [raw] = await withClient((client) =>
      client.db(database).collection('regexes', { bsonRegExp: true }).find().toArray(),
    );
    expect(raw?.['list'][0].r).toMatchObject({ pattern: 'a.b', options: 's' });
    expect(await values.count({ 'list.r': new BSONRegExp('a.b', 's') })).toBe(1);
  });

  test('operators that only the server knows work', async () => {
    const list = { $cond: [{ $isArray: '$tags' }, '$tags', []] };
    const found = await store()
      .query({ $expr: { $gt: [{ $size: list }, 1] } })
      .toArray();
    expect(found.map((doc) => doc['_id']).sort()).toEqual([1, 6, 7]);
  });

  test('what the server refuses is a bad query', async () => {
    const criteria = { n: { $geoWithin: { $nonsense: 1 } } };
    const bad = { code: 'INVALID_QUERY' };
    await expect(store().query(criteria).toArray()).rejects.toMatchObject(bad);
    await expect(store().count(criteria)).rejects.toMatchObject(bad);
    await expect(store().distinct('v', criteria)).rejects.toMatchObject(bad);
    await expect(store().removeDocs(criteria)).rejects.toMatchObject(bad);
    await expect(store().query({}, { hint: 'no_such_index' }).toArray()).rejects.toMatchObject(bad);
  });
});

describeMongo('reading', () => {
  const database = uniqueDatabase();
  const store = connected(() => mongoStore(database, 'many'));
  beforeAll(async () => {
    await store().update(Array.from({ length: 2500 }, (_, i) => ({ task_id: i, v: i % 10 })));
  });

  test('comes in batches of the size that was asked for', async () => {
    const sizes: number[] = [];
    const seen = new Set<unknown>();
    for await (const batch of store()
      .query({}, { sort: { task_id: 1 } })
      .batches(700)) {
      sizes.push(batch.length);
      for (const doc of batch) seen.add(doc['task_id']);
    }
    expect(sizes).toEqual([700, 700, 700, 400]);
    expect(seen.size).toBe(2500);
  });

  test('asks for one batch at a time, and ends the query when the loop is left', async () => {
    const more = vi.spyOn(mongodb.FindCursor.prototype, 'close');
    for await (const batch of store().query().batches(100)) {
      expect(batch).toHaveLength(100);
      break;
    }
    expect(more).toHaveBeenCalledOnce();
    const [cursor] = more.mock.contexts as mongodb.FindCursor[];
    expect(cursor?.killed).toBe(true);
    more.mockRestore();
  });

  test('respects limit and skip', async () => {
    const options = { sort: { task_id: 1 }, skip: 990, limit: 1020 } as const;
    const found = await store().query({}, options).toArray();
    expect(found).toHaveLength(1020);
    expect([found[0]?.['task_id'], found.at(-1)?.['task_id']]).toEqual([990, 2009]);
  });

  test('ends when the signal fires', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let seen = 0;
    const reading = async () => {
      for await (const batch of store().query({}, { signal: controller.signal }).batches(100)) {
        seen += batch.length;
        if (seen >= 300) controller.abort(reason);
      }
    };
    await expect(reading()).rejects.toBe(reason);
    expect(seen).toBe(300);
  });

  test('takes a hint', async () => {
    await store().ensureIndex('v');
    for (const hint of ['v_1', { v: 1 } as const])
      expect(await store().query({ v: 3 }, { hint }).toArray()).toHaveLength(250);
  });

  test('is in the default order when no other is asked for', async () => {
    await using sorted = mongoStore(database, 'many', { defaultSort: { v: -1, task_id: 1 } });
    await sorted.connect();
    const ids = async (options: QueryOptions) =>
      (await sorted.query({}, { ...options, limit: 3 }).toArray()).map((doc) => doc['task_id']);
    expect(await ids({})).toEqual([9, 19, 29]);
    expect(await ids({ sort: {} })).toEqual([9, 19, 29]);
    expect(await ids({ sort: { task_id: -1 } })).toEqual([2499, 2498, 2497]);
    expect((await sorted.queryOne())?.['task_id']).toBe(9);
  });

  test('counts', async () => {
    expect(await store().count()).toBe(2500);
    expect(await store().count({ v: { $lt: 3 } })).toBe(750);
    expect(await store().count({ v: 77 })).toBe(0);
  });

  test('distinct values that do not fit into one message are read document by document', async () => {
    const tooBig = new mongodb.MongoServerError({
      message: 'distinct too big, 16mb cap',
      code: 17217,
    });
    const spy = vi.spyOn(mongodb.Collection.prototype, 'distinct').mockRejectedValue(tooBig);
    const values = await store().distinct('v', { task_id: { $gte: 5 } });
    expect(values.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(spy).toHaveBeenCalledOnce();
    spy.mockRestore();
  });

  test('many distinct values', async () => {
    await using large = mongoStore(database, 'large');
    await large.connect();
    const text = 'x'.repeat(6000);
    await large.update(Array.from({ length: 3000 }, (_, i) => ({ task_id: `${i}${text}` })));
    expect(new Set(await large.distinct('task_id')).size).toBe(3000);
  });

  test('an empty collection, or one that does not exist, is empty', async () => {
    await using empty = mongoStore(database, 'empty');
    await empty.connect();
    expect(await empty.query().toArray()).toEqual([]);
    expect(await empty.count()).toBe(0);
    expect(await empty.count({ a: 1 })).toBe(0);
    expect(await empty.distinct('a')).toEqual([]);
    expect(await empty.lastUpdated()).toBeNull();
    expect(await empty.removeDocs({})).toBe(0);
  });
});
