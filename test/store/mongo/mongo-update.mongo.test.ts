import { Long, ObjectId } from 'bson';
import mongodb from 'mongodb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Doc } from '../../../src/query/document.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import type { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { describeMongo, mongoStore, stored, uniqueDatabase, withClient } from './server.js';

/** A text that alone makes a document too large. */
const HUGE = 'x'.repeat(16 * 1024 * 1024);

describeMongo('update', () => {
  const database = uniqueDatabase();
  let number = 0;
  let name = '';
  let store: MongoStore;

  beforeEach(async () => {
    name = `update_${++number}`;
    store = mongoStore(database, name);
    await store.connect();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await store.close();
  });

  const all = async () =>
    (await stored(database, name)).sort((a, b) =>
      String(a['task_id']) < String(b['task_id']) ? -1 : 1,
    );
  const withoutId = async () => (await all()).map(({ _id, ...doc }) => doc);

  test('inserts and replaces whole documents', async () => {
    expect(
      await store.update([
        { task_id: 1, a: 1 },
        { task_id: 2, a: 2 },
      ]),
    ).toEqual({
      written: 2,
      refused: [],
    });
    expect((await store.update({ task_id: 1, b: 3 })).written).toBe(1);
    expect(await withoutId()).toEqual([
      { task_id: 1, b: 3 },
      { task_id: 2, a: 2 },
    ]);
    expect((await all()).every(({ _id }) => _id instanceof mongodb.ObjectId)).toBe(true);
  });

  test('of nothing does nothing', async () => {
    expect(await store.update([])).toEqual({ written: 0, refused: [] });
    expect(await all()).toEqual([]);
  });

  test('a new document keeps its own _id, a stored one keeps the stored _id', async () => {
    await store.update([{ _id: 'mine', task_id: 1 }, { task_id: 2 }]);
    const [, second] = await all();
    const docs = [
      { _id: 'other', task_id: 1, v: 1 },
      { _id: 'third', task_id: 2, v: 2 },
      { _id: 'fresh', task_id: 3, v: 3 },
    ];
    expect((await store.update(docs)).written).toBe(3);
    expect(await all()).toEqual([
      { _id: 'mine', task_id: 1, v: 1 },
      { _id: second?.['_id'], task_id: 2, v: 2 },
      { _id: 'fresh', task_id: 3, v: 3 },
    ]);
  });

  test('what was read can be changed and stored again', async () => {
    await store.update(Array.from({ length: 20 }, (_, i) => ({ task_id: i })));
    const before = await store.query().toArray();
    await store.update(before.map((doc) => ({ ...doc, v: doc['task_id'] })));
    const after = await store.query({}, { sort: { task_id: 1 } }).toArray();
    expect(after.map((doc) => doc['v'])).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(after.map((doc) => String(doc['_id'])).sort()).toEqual(
      before.map((doc) => String(doc['_id'])).sort(),
    );
  });

  test('of 1500 documents with foreign _ids', async () => {
    const docs = (v: number) =>
      Array.from({ length: 1500 }, (_, i) => ({ _id: `${v}/${i}`, task_id: i, v }));
    await store.update(docs(1));
    expect((await store.update(docs(2))).written).toBe(1500);
    const found = await store.query({}, { sort: { task_id: 1 } }).toArray();
    expect(found).toHaveLength(1500);
    expect(found.every((doc) => doc['v'] === 2 && String(doc['_id']).startsWith('1/'))).toBe(true);
  });

  test('by _id', async () => {
    await store.update(
      [
        { _id: 1, a: 1 },
        { _id: 2, a: 2 },
      ],
      { key: '_id' },
    );
    await store.update(
      [
        { _id: Long.fromNumber(1), a: 3 },
        { _id: 4, a: 4 },
      ],
      { key: '_id' },
    );
    expect((await stored(database, name)).sort((a, b) => a['_id'] - b['_id'])).toEqual([
      { _id: 1, a: 3 },
      { _id: 2, a: 2 },
      { _id: 4, a: 4 },
    ]);
  });

  test.each([
    [['task_id'], [{ task_id: null }, { task_id: 0 }, { task_id: false }, { task_id: '' }]],
    [['task_id'], [{ task_id: ['a', 'b'] }, { task_id: 'a' }, { task_id: [['a', 'b']] }]],
    [['task_id'], [{ task_id: null }, { other: 1 }, { task_id: [null] }]],
    [['a.b'], [{ a: { b: 1 } }, { a: { b: 2 } }, { a: { b: null } }, { a: { b: { c: 1 } } }]],
    [['a.0.b'], [{ a: [{ b: 1 }] }, { a: [{ b: 2 }, { b: 1 }] }]],
    [
      ['x', 'y'],
      [
        { x: 1, y: 1 },
        { x: 1, y: 2 },
        { x: 2, y: 1 },
        { x: null, y: 1 },
      ],
    ],
    [
      ['x', 'n.y'],
      [
        { x: 1, n: { y: 1 } },
        { x: 1, n: { y: 2 } },
      ],
    ],
    [
      ['_id', 'x'],
      [
        { _id: 1, x: 1 },
        { _id: 2, x: 1 },
      ],
    ],
    [['task_id'], [{ task_id: { a: 1, b: 2 } }, { task_id: { b: 2, a: 1 } }, { task_id: /a/i }]],
    [['task_id'], [{ task_id: new ObjectId('0'.repeat(24)) }, { task_id: new Date(0) }]],
  ] as [string[], Doc[]][])(
    'finds the document with the same key, and no other: %j %j',
    async (key, docs) => {
      const memory = new MemoryStore();
      await memory.connect();
      // Put there past the store, so that documents without the key are possible.
      const seeds: Doc[] = docs.map((doc, i) => ({ _id: `seed ${i}`, ...doc }));
      await withClient((client) => client.db(database).collection(name).insertMany(seeds));
      await memory.update(seeds, { key: '_id' });
      for (const [i, doc] of docs.entries()) {
        if (!key.every((path) => Object.hasOwn(doc, path.split('.')[0] ?? ''))) continue;
        for (const target of [store, memory]) await target.update({ ...doc, v: i }, { key });
      }
      const sort = { sort: { _id: 1 } } as const;
      expect(await store.query({}, sort).toArray()).toEqual(await memory.query({}, sort).toArray());
    },
  );

  test('of equal keys in one call the last one wins', async () => {
    const docs = Array.from({ length: 5000 }, (_, i) => ({ task_id: i % 1700, v: i }));
    expect((await store.update(docs)).written).toBe(1700);
    const found = await store.query({}, { sort: { task_id: 1 } }).toArray();
    expect(found.map((doc) => doc['v'])).toEqual(
      Array.from({ length: 1700 }, (_, i) => (i + 3400 < 5000 ? i + 3400 : i + 1700)),
    );
  });

  test('a document without its key stores nothing', async () => {
    await expect(store.update([{ task_id: 1 }, { v: 1 }])).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      path: '$[1]',
    });
    expect(await all()).toEqual([]);
  });

  test('an _id that another document has is refused, with its name', async () => {
    await store.update({ _id: 'taken', task_id: 1 });
    await expect(store.update({ _id: 'taken', task_id: 2 })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      path: '$._id',
      message: expect.stringContaining("has the _id 'taken' already"),
    });
    await expect(store.update({ _id: [1], task_id: 3 })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      path: '$._id',
    });
    expect(await all()).toEqual([{ _id: 'taken', task_id: 1 }]);
  });

  test('a field that a replacement cannot have is named, and nothing is written', async () => {
    await expect(
      store.update([{ task_id: 'good' }, { task_id: 'bad', $x: 1 }]),
    ).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      path: '$.$x',
      message: expect.stringContaining("'bad'"),
    });
    expect(await all()).toEqual([]);
    await store.update({ task_id: 1, n: { $ref: 'a', $y: 1, 'b.c': 2 } });
    expect(await withoutId()).toEqual([{ task_id: 1, n: { $ref: 'a', $y: 1, 'b.c': 2 } }]);
  });

  test('a unique index is respected, and the document named', async () => {
    expect(await store.ensureIndex('email', { unique: true })).toBe(true);
    await store.update({ task_id: 1, email: 'a' });
    await expect(store.update({ task_id: 2, email: 'a' })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      message: expect.stringMatching(
        /document with key 2: .*11000|document with key 2: .*duplicate/i,
      ),
    });
    expect(await withoutId()).toEqual([{ task_id: 1, email: 'a' }]);
  });

  test('too large a document is refused before anything is written', async () => {
    const docs = [{ task_id: 'small' }, { task_id: 'huge', text: HUGE }, { task_id: 'other' }];
    await expect(store.update(docs)).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      message: expect.stringMatching(/key 'huge' has 167772\d\d bytes/),
    });
    expect(await all()).toEqual([]);
  });

  test('documents up to the limit are stored, whatever goes with them', async () => {
    // 16 MB less the fields: _id 17, task_id 21, text 11, and 5 for the document.
    const largest = HUGE.slice(54);
    const docs = [{ task_id: 'largest', text: largest }, { task_id: 'small' }];
    expect((await store.update(docs)).written).toBe(2);
    expect((await store.queryOne({ task_id: 'largest' }))?.['text']).toHaveLength(largest.length);
    const above = { task_id: 'abovest', text: `${largest}x` };
    await expect(store.update(above)).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
  });

  test('more than one message holds is stored', async () => {
    const text = 'y'.repeat(3_000_000);
    const docs = Array.from({ length: 20 }, (_, i) => ({ task_id: i, text }));
    expect((await store.update(docs)).written).toBe(20);
    expect(await store.count()).toBe(20);
  });

  test('safeUpdate sets aside what cannot be stored, and stores the rest', async () => {
    await using safe = mongoStore(database, name, { safeUpdate: true });
    await safe.connect();
    await safe.ensureIndex('email', { unique: true });
    await safe.update({ _id: 'taken', task_id: 0, email: 'a' });
    const { written, refused } = await safe.update([
      { task_id: 1, email: 'b' },
      { task_id: 'huge', email: 'h', text: HUGE },
      { task_id: 2, email: 'a' },
      { task_id: 3, email: 'c', _id: 'taken' },
      { task_id: 4, email: 'd', $x: 1 },
      ...Array.from({ length: 1200 }, (_, i) => ({ task_id: 100 + i, email: i })),
    ]);
    expect(written).toBe(1201);
    expect(refused.map((one) => one.key)).toEqual(['huge', 4, 2, 3]);
    expect(refused.every((one) => one.reason !== '')).toBe(true);
    expect(await safe.count()).toBe(1202);
    expect(await safe.queryOne({ task_id: 1 })).toMatchObject({ email: 'b' });
  });

  test('writers that insert the same keys at the same time end with one document each', async () => {
    await store.ensureIndex('task_id', { unique: true });
    const writers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const writer = mongoStore(database, name);
        await writer.connect();
        return writer;
      }),
    );
    try {
      const results = await Promise.all(
        writers.map((writer, w) =>
          writer.update(Array.from({ length: 400 }, (_, i) => ({ task_id: i, w }))),
        ),
      );
      expect(results.map((result) => result.written)).toEqual([400, 400, 400, 400]);
      expect(await store.count()).toBe(400);
    } finally {
      await Promise.all(writers.map((writer) => writer.close()));
    }
  });

  test('a document that another writer has just inserted is replaced', async () => {
    await store.ensureIndex('task_id', { unique: true });
    // The server is asked between the other's check and its own: its answer is that of a lost race.
    const duplicate = Object.assign(
      new mongodb.MongoServerError({ message: 'E11000', code: 11000 }),
      {
        writeErrors: [{ index: 1, code: 11000, errmsg: 'E11000 duplicate key error' }],
      },
    );
    const bulkWrite = vi
      .spyOn(mongodb.Collection.prototype, 'bulkWrite')
      .mockImplementationOnce(async function (this: mongodb.Collection) {
        await this.insertOne({ task_id: 1, by: 'us' });
        await this.insertOne({ task_id: 2, by: 'another' });
        throw duplicate;
      });
    const docs = [
      { task_id: 1, by: 'us' },
      { task_id: 2, by: 'us' },
    ];
    expect(await store.update(docs)).toEqual({ written: 2, refused: [] });
    expect(bulkWrite.mock.calls.map(([operations]) => operations.length)).toEqual([2, 1]);
    expect(await withoutId()).toEqual(docs);
  });

  test.each([
    ['a write conflict', 112, 'WriteConflict error: this operation conflicted with another'],
    ['a deadlock', 1, 'deadlock detected'],
  ])('%s is tried again some times, and told if it stays', async (_, code, errmsg) => {
    const collision = Object.assign(new mongodb.MongoServerError({ message: errmsg, code }), {
      writeErrors: [{ index: 0, code, errmsg }],
    });
    const bulkWrite = vi.spyOn(mongodb.Collection.prototype, 'bulkWrite');
    for (let i = 0; i < 9; i++) bulkWrite.mockRejectedValueOnce(collision);
    expect(await store.update({ task_id: 1 })).toEqual({ written: 1, refused: [] });
    expect(bulkWrite).toHaveBeenCalledTimes(10);
    bulkWrite.mockRejectedValue(collision);
    await expect(store.update({ task_id: 2 })).rejects.toThrow(errmsg);
    bulkWrite.mockRestore();
    expect(await withoutId()).toEqual([{ task_id: 1 }]);
  });

  test('updates of one store that overlap are all carried out', async () => {
    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        store.update(Array.from({ length: 300 }, (_, i) => ({ task_id: n * 300 + i, n }))),
      ),
    );
    expect(await store.count()).toBe(3600);
    expect((await store.distinct('n')).length).toBe(12);
  });

  test('at most four bulks of 1000 are in flight', async () => {
    const bulkWrite = mongodb.Collection.prototype.bulkWrite;
    let running = 0;
    let most = 0;
    const sizes: number[] = [];
    vi.spyOn(mongodb.Collection.prototype, 'bulkWrite').mockImplementation(async function (
      this: mongodb.Collection,
      operations,
      options,
    ) {
      most = Math.max(most, ++running);
      sizes.push(operations.length);
      expect(options).toMatchObject({ ordered: false });
      try {
        return await bulkWrite.call(this, operations, options);
      } finally {
        running--;
      }
    });
    await store.update(Array.from({ length: 6500 }, (_, i) => ({ task_id: i })));
    expect(most).toBe(4);
    expect(sizes.sort()).toEqual([1000, 1000, 1000, 1000, 1000, 1000, 500]);
    expect(await store.count()).toBe(6500);
  });

  test('after a failure nothing is written any more when update has rejected', async () => {
    const docs = Array.from({ length: 9000 }, (_, i) => ({ task_id: i, u: i === 500 ? 1 : i }));
    await store.ensureIndex('u', { unique: true });
    await store.update({ task_id: 'first', u: 1 });
    await expect(store.update(docs.slice(2))).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
    const count = await store.count();
    expect(count).toBeLessThan(9000);
    await new Promise(setImmediate);
    expect(await store.count()).toBe(count);
  });

  test('removeDocs removes what matches, and says how many', async () => {
    await store.update(Array.from({ length: 30 }, (_, i) => ({ task_id: i })));
    expect(await store.removeDocs({ task_id: { $gte: 25 } })).toBe(5);
    expect(await store.removeDocs({ task_id: 'none' })).toBe(0);
    expect(await store.removeDocs({})).toBe(25);
    expect(await all()).toEqual([]);
  });
});
