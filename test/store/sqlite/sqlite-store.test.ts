import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/errors/option-errors.js';
import {
  InvalidDocumentError,
  StoreConnectionError,
  StoreNotConnectedError,
} from '../../../src/errors/store-errors.js';
import { asDict } from '../../../src/msonable/dump.js';
import { fromDict } from '../../../src/msonable/load.js';
import { SQLiteStore } from '../../../src/store/sqlite/sqlite-store.js';
import { expectConsistent, kilobyteDocs, newFile, opened, rawFile } from './support.js';

const without = { properties: { _id: 0 } } as const;

test('refuses bad arguments', () => {
  expect(() => new SQLiteStore('', 'docs')).toThrow(InvalidOptionError);
  expect(() => new SQLiteStore('a.db', '')).toThrow(InvalidOptionError);
  expect(() => new SQLiteStore('a.db', 'a\0b')).toThrow(InvalidOptionError);
  expect(() => new SQLiteStore(':memory:', 'docs')).toThrow(/MemoryStore/);
});

test('has a name, and the identity of the file and the collection', () => {
  const store = new SQLiteStore('a/../b.db', 'docs');
  expect(store.name).toBe('sqlite://a/../b.db/docs');
  expect(store.identity).toBe(`file:${path.resolve('b.db')}:docs`);
  expect(store.identity).toBe(new SQLiteStore(path.resolve('b.db'), 'docs').identity);
});

test('is written with its arguments and read again, under a module that Python does not have', async () => {
  const store = new SQLiteStore('a.db', 'docs', { key: 'k' });
  const dict = asDict(store);
  expect(dict).toMatchObject({
    '@module': 'maggma_ts.stores',
    '@class': 'SQLiteStore',
    path: 'a.db',
    collection_name: 'docs',
    key: 'k',
  });
  expect(dict).not.toHaveProperty('last_updated_field');
  const again = await fromDict<SQLiteStore>(dict);
  expect(again).toBeInstanceOf(SQLiteStore);
  expect([again.identity, again.key]).toEqual([store.identity, 'k']);
});

test('leaves no file behind before the first document', async () => {
  const file = newFile();
  const store = await opened({}, file);
  expect(await store.query().toArray()).toEqual([]);
  expect(await store.count({ k: 1 })).toBe(0);
  expect(await store.removeDocs({})).toBe(0);
  expect(await store.lastUpdated()).toBe(null);
  expect(await store.ensureIndex(['k', 'last_updated'])).toBe(true);
  expect(await store.ensureIndex('a')).toBe(true);
  expect(existsSync(file)).toBe(false);
  await store.update({ k: 1, a: 1 });
  await store.close();
  const db = await rawFile(file);
  const indexes = db.prepare('SELECT path FROM maggma_indexes ORDER BY path').all();
  expect(indexes).toMatchObject([{ path: '"a"' }, { path: '"k"' }]);
  db.close();
});

test('sees the file that another one makes later', async () => {
  const file = newFile();
  const reader = await opened({}, file);
  expect(await reader.count()).toBe(0);
  const writer = await opened({}, file);
  await writer.update([{ k: 1 }, { k: 2 }]);
  expect(await reader.count()).toBe(2);
  expect(await reader.query({ k: 2 }, without).toArray()).toEqual([{ k: 2 }]);
  await writer.close();
  await reader.close();
});

test('says when the folder is not there, and when the file is no database', async () => {
  const file = newFile();
  await expect(opened({}, path.join(file, 'a.db'))).rejects.toThrow(
    new StoreConnectionError(`sqlite://${file}/a.db/docs`, `there is no folder ${file}`),
  );
  writeFileSync(file, 'this is a text, and not a database'.repeat(100));
  await expect(opened({}, file)).rejects.toThrow(StoreConnectionError);
  await expect(opened({}, file)).rejects.toThrow(/not a database/);
  const folder = newFile();
  mkdirSync(folder);
  await expect(opened({}, folder)).rejects.toThrow(StoreConnectionError);
});

test('opens an empty file, and can be connected after a failed attempt', async () => {
  const file = newFile();
  writeFileSync(file, 'not a database'.repeat(100));
  const store = new SQLiteStore(file, 'docs', { key: 'k' });
  await expect(store.connect()).rejects.toThrow(StoreConnectionError);
  writeFileSync(file, '');
  await store.connect();
  await store.update({ k: 1 });
  expect(await store.count()).toBe(1);
  await store.close();
});

test.each([100, 10_000, 24_576, 65_536].map((from) => ({ from })))(
  'reports a file that is damaged from byte $from on',
  async ({ from }) => {
    const file = newFile();
    const store = await opened({}, file);
    await store.update(kilobyteDocs(0, 300));
    await store.close();
    const bytes = readFileSync(file);
    bytes.fill(0x5a, from);
    writeFileSync(file, bytes);
    const damaged = new SQLiteStore(file, 'docs', { key: 'k' });
    const read = async () => {
      await damaged.connect();
      await damaged.query().toArray();
    };
    await expect(read()).rejects.toMatchObject({
      code: expect.stringMatching(/^STORE_(CONNECTION|OPERATION)$/),
    });
    await damaged.close();
  },
);

test('refuses a file of a later release, also when it becomes one', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await store.update({ k: 1 });
  const db = await rawFile(file);
  db.exec("UPDATE maggma_meta SET value = 2 WHERE name = 'schema'");
  await expect(store.update({ k: 2 })).rejects.toThrow(/later release/);
  await expect(store.count()).rejects.toThrow(/later release/);
  await store.close();
  await expect(opened({}, file)).rejects.toThrow(StoreConnectionError);
  await expect(opened({}, file)).rejects.toThrow(/upgrade the package/);
  db.exec("UPDATE maggma_meta SET value = 1 WHERE name = 'schema'");
  db.close();
  const again = await opened({}, file);
  expect(await again.query({}, without).toArray()).toEqual([{ k: 1 }]);
  await again.close();
});

test('keeps collections apart whatever their names, and leaves foreign tables alone', async () => {
  const file = newFile();
  const db = await rawFile(file);
  db.exec('PRAGMA user_version = 7; CREATE TABLE docs (x); INSERT INTO docs VALUES (42)');
  const names = ['docs', 'Docs', `a'b"c\`d]e`, 'ü$😀', 'a; DROP TABLE docs --', '%_', ' '];
  for (const name of names) {
    const store = await opened({}, file, name);
    await store.update([{ k: 1, name }, { k: 2 }]);
    await store.ensureIndex(`x'"${name.replaceAll('$', '')}`);
    await store.close();
  }
  const [first = ''] = names;
  const emptied = await opened({}, file, first);
  expect(await emptied.removeDocs({})).toBe(2);
  await emptied.close();
  for (const name of names) {
    const store = await opened({}, file, name);
    expect(await store.distinct('name')).toEqual(name === first ? [] : [name]);
    await store.close();
  }
  expect(db.prepare('SELECT x FROM docs').all()).toMatchObject([{ x: 42 }]);
  expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 7 });
  db.close();
  await expectConsistent(file);
});

test('finds by paths that are no usual names', async () => {
  const store = await opened();
  const odd = ['ünï', 'a-b', "it's", '"', ' ', '1', 'constructor', 'a.0.b'];
  await store.update([
    { k: 1, ünï: 1, 'a-b': 1, "it's": 1, '"': 1, ' ': 1, '1': 1, constructor: 1, a: [{ b: 1 }] },
    { k: 2 },
  ]);
  for (const path of odd) {
    expect(await store.ensureIndex(path)).toBe(true);
    expect(await store.count({ [path]: 1 }), path).toBe(1);
  }
  await store.close();
});

test('ends with an error when it is closed while being read', async () => {
  const store = await opened();
  await store.update(kilobyteDocs(0, 5000));
  const read = async () => {
    for await (const _ of store.query().batches(100)) await store.close();
  };
  await expect(read()).rejects.toThrow(StoreNotConnectedError);
});

test('is not met by documents that arrive while it is read, and does not hold up their writer', async () => {
  const file = newFile();
  const reader = await opened({}, file);
  const writer = await opened({}, file);
  await writer.update(kilobyteDocs(0, 5000));
  await reader.ensureIndex('state');
  const orders = [undefined, { k: 1 }, { k: -1 }, { state: 1 }, { 'nested.a.b': -1 }] as const;
  for (const sort of orders) {
    const before = await reader.count();
    const seen = new Set<unknown>();
    for await (const batch of reader.query({}, sort && { sort }).batches(500)) {
      for (const doc of batch) seen.add(doc['k']);
      // Others have the whole file for themselves between two batches: else this would report it as busy.
      const db = await rawFile(file);
      const checkpoint = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
      expect(checkpoint).toMatchObject({ busy: 0 });
      db.close();
      const from = 10_000 + seen.size + before * 10;
      await writer.update(kilobyteDocs(from, from + 10));
    }
    expect(seen.size).toBe(before);
  }
  await reader.close();
  await writer.close();
  await expectConsistent(file);
});

test('costs nothing when it is abandoned half read', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await store.update(kilobyteDocs(0, 3000));
  const abandoned = store
    .query({}, { sort: { k: 1 } })
    .batches(100)
    [Symbol.asyncIterator]();
  await abandoned.next();
  await store.removeDocs({ k: { $gte: 'key-000001000' } });
  await store.update(kilobyteDocs(0, 1000, { fresh: true }));
  const db = await rawFile(file);
  expect(db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
  db.close();
  const rest: unknown[] = [];
  for (let next = await abandoned.next(); !next.done; next = await abandoned.next())
    rest.push(...next.value);
  expect(rest.length).toBe(900);
  await store.close();
});

test('holds everything in the file itself when it is closed', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await store.update(kilobyteDocs(0, 500));
  await store.close();
  const copy = newFile();
  copyFileSync(file, copy);
  const copied = await opened({}, copy);
  expect((await copied.query().toArray()).length).toBe(500);
  await copied.close();
  await expectConsistent(copy);
});

test('can be changed while it is read: each document is met once', async () => {
  const store = await opened();
  await store.update(kilobyteDocs(0, 3000));
  for (const sort of [undefined, { k: 1 }, { k: -1 }] as const) {
    const seen: unknown[] = [];
    for await (const batch of store.query({}, sort && { sort }).batches(200)) {
      seen.push(...batch.map((doc) => doc['k']));
      await store.update(batch.map((doc) => ({ ...doc, text: 'y'.repeat(2000) })));
    }
    expect(seen.length).toBe(3000);
    expect(new Set(seen).size).toBe(3000);
  }
  await store.close();
});

test('stores nothing of a call of which one document cannot be stored', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await store.update([{ _id: 1, k: 1 }]);
  const docs = [...kilobyteDocs(0, 100), { _id: 1, k: 2 }, ...kilobyteDocs(100, 200)];
  await expect(store.update(docs)).rejects.toThrow(InvalidDocumentError);
  expect(await store.query({}, without).toArray()).toEqual([{ k: 1 }]);
  await store.update([{ k: 1, v: 2 }]);
  expect(await store.query().toArray()).toEqual([{ _id: 1, k: 1, v: 2 }]);
  await store.close();
  await expectConsistent(file);
});

test('carries out calls at the same time one after the other', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => [
      store.update(kilobyteDocs(i * 10, i * 10 + 20, { i })),
      store.count({ i: { $gte: 0 } }),
      store.ensureIndex(`nested.${i % 3}`),
      store.removeDocs({ k: `key-${String(i).padStart(9, '0')}` }),
    ]).flat(),
  );
  expect(await store.count()).toBeGreaterThan(180);
  await store.close();
  await expectConsistent(file);
});

test('takes values of many kinds for keys, and long ones apart', async () => {
  const store = await opened();
  const long = 'long '.repeat(500);
  const keys = [
    1,
    '1',
    null,
    true,
    [1],
    { a: 1 },
    new Date(1),
    long,
    `${long}1`,
    `${long}2`,
    [long],
  ];
  await store.update(keys.map((k, i) => ({ k, i })));
  await store.update(keys.map((k, i) => ({ k, i, again: true })));
  expect(await store.count()).toBe(keys.length);
  expect(await store.count({ again: true })).toBe(keys.length);
  expect(await store.query({ k: `${long}1` }, without).toArray()).toEqual([
    { k: `${long}1`, i: 8, again: true },
  ]);
  const down = await store.query({ k: { $gte: long } }, { sort: { k: -1 } }).toArray();
  expect(down.map(({ i }) => i)).toEqual([9, 8, 7, 10]);
  await store.close();
});

test('gives of a nested key what the documents have', async () => {
  const store = await opened({ key: 'id.n', lastUpdatedField: 'at.time' });
  const docs = [
    { _id: 1, id: { n: 1, m: 1 }, at: { time: new Date(1), by: 'me' } },
    { _id: 2, id: { n: new Date(2), m: [1] }, at: [{ time: 1 }, { by: 1 }, 5] },
    { _id: 3, id: { n: [2, 3], m: 1 } },
  ];
  await store.update(docs);
  const properties = { 'id.n': 1, 'at.time': 1 } as const;
  const sort = { 'id.n': 1 } as const;
  const carried = await store.query({}, { properties: { ...properties, _id: 0 }, sort }).toArray();
  const read = await store.query({}, { properties, sort }).toArray();
  expect(carried).toEqual(read.map(({ _id, ...rest }) => rest));
  expect(read.map(({ _id }) => _id)).toEqual([1, 3, 2]);
  await store.close();
});

test('holds large documents without holding many of them', async () => {
  const store = await opened();
  const text = 'large '.repeat(200_000);
  for (let k = 0; k < 40; k++) await store.update({ k, text });
  const sizes: number[] = [];
  for await (const batch of store.query({}, { sort: { k: 1 } }).batches(1000))
    sizes.push(batch.length);
  expect(sizes.reduce((a, b) => a + b)).toBe(40);
  expect(Math.max(...sizes)).toBeLessThan(20);
  await store.close();
});
