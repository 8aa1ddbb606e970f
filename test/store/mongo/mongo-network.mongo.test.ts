import mongodb from 'mongodb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { CuttingProxy } from './proxy.js';
import { describeMongo, mongoStore, serverOptions, uniqueDatabase } from './server.js';

const DOCS = Array.from({ length: 3500 }, (_, i) => ({ task_id: i, text: 'x'.repeat(200), v: i }));

describeMongo('a connection that breaks', () => {
  const database = uniqueDatabase();
  let number = 0;
  let name = '';
  let proxy: CuttingProxy;
  let store: MongoStore;

  beforeEach(async () => {
    name = `cut_${++number}`;
    const { host, port } = serverOptions();
    proxy = await CuttingProxy.to(host, port);
    store = mongoStore(database, name, {
      host: '127.0.0.1',
      port: proxy.port,
      mongoclientKwargs: { serverSelectionTimeoutMS: 2000, directConnection: true },
    });
    await store.connect();
    await store.ensureIndex('task_id', { unique: true });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await store.close();
    await proxy[Symbol.asyncDispose]();
  });

  async function expectAll(): Promise<void> {
    await using direct = mongoStore(database, name);
    await direct.connect();
    const found = await direct.query({}, { sort: { task_id: 1 } }).toArray();
    expect(found.map(({ _id, ...doc }) => doc)).toEqual(DOCS);
  }

  test.each([1, 1000, 40_000, 300_000, 700_000])(
    'in the middle of a request, after %i bytes: nothing is lost',
    async (bytes) => {
      proxy.cutAfter(bytes);
      expect((await store.update(DOCS)).written).toBe(DOCS.length);
      expect(proxy.cuts).toBe(1);
      await expectAll();
    },
  );

  test('before the answer to a request that was carried out: nothing is there twice', async () => {
    proxy.cutNextAnswer();
    expect((await store.update(DOCS)).written).toBe(DOCS.length);
    expect(proxy.cuts).toBe(1);
    await expectAll();
  });

  test('also in the middle of the last document of two', async () => {
    proxy.cutAfter(150);
    expect((await store.update(DOCS.slice(0, 2))).written).toBe(2);
    expect(proxy.cuts).toBe(1);
    expect(await store.count()).toBe(2);
  });

  test('for good: update fails, and the store can be closed', async () => {
    await proxy[Symbol.asyncDispose]();
    const bulkWrite = vi.spyOn(mongodb.Collection.prototype, 'bulkWrite');
    const started = performance.now();
    await expect(store.update(DOCS.slice(0, 5))).rejects.toMatchObject({
      code: 'STORE_OPERATION',
      operation: 'update',
    });
    expect(bulkWrite.mock.calls.length).toBeGreaterThan(1);
    expect(performance.now() - started).toBeLessThan(25_000);
  });

  test('a query goes on with a new connection when the next one is asked', async () => {
    await store.update(DOCS.slice(0, 100));
    proxy.cutAfter(1);
    expect(await store.query().toArray()).toHaveLength(100);
    expect(proxy.cuts).toBe(1);
  });
});
