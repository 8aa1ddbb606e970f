import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import mongodb from 'mongodb';
import { describe, expect, test, vi } from 'vitest';
import type { StoreConnectionError } from '../../../src/errors/store-errors.js';
import { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { MongoURIStore } from '../../../src/store/mongo/mongo-uri-store.js';
import {
  describeMongo,
  MONGODB_URI,
  mongoStore,
  serverAddress,
  serverOptions,
  uniqueDatabase,
} from './server.js';

const SHORT = { serverSelectionTimeoutMS: 300 };
const LOGIN = { username: 'me', password: 'hunter2!' };

async function failureOf(attempt: Promise<unknown>): Promise<StoreConnectionError> {
  return attempt.then(
    () => expect.unreachable('the attempt succeeded'),
    (error) => error,
  );
}

/** A port of this host at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a server that is not there', () => {
  test('is named with its port, and the password is not', async () => {
    const port = await closedPort();
    const options = { host: '127.0.0.1', port, ...LOGIN, mongoclientKwargs: SHORT };
    const store = new MongoStore('db', 'c', options);
    const error = await failureOf(store.connect());
    expect(error).toMatchObject({ code: 'STORE_CONNECTION', store: 'mongo://127.0.0.1/db/c' });
    expect(error.message).toMatch(
      new RegExp(`^Cannot connect mongo://127.0.0.1/db/c: 127.0.0.1:${port} did not answer within`),
    );
    expect(error.message).toContain('ECONNREFUSED');
    expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/hunter2/);
    expect(store.connected).toBe(false);
  });

  test('by URI, with the time that the URI allows', async () => {
    const port = await closedPort();
    const uri = `mongodb://me:hunter2%21@127.0.0.1:${port}/db?serverSelectionTimeoutMS=200`;
    const started = performance.now();
    const error = await failureOf(new MongoURIStore(uri, 'c').connect());
    expect(performance.now() - started).toBeLessThan(5000);
    expect(error.message).toContain(`127.0.0.1:${port} did not answer`);
    expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/hunter2/);
  });

  test('nor its name', async () => {
    const options = { host: 'no-such-host.invalid', ...LOGIN, mongoclientKwargs: SHORT };
    const error = await failureOf(new MongoStore('db', 'c', options).connect());
    expect(error.message).toMatch(/no-such-host\.invalid:27017.*(ENOTFOUND|EAI_AGAIN)/);
    expect(inspect(error, { depth: 12 })).not.toMatch(/hunter2/);
  });

  test('gets 10 seconds unless told otherwise', async () => {
    const times: unknown[] = [];
    const spy = vi.spyOn(mongodb.MongoClient.prototype, 'connect').mockImplementation(function (
      this: mongodb.MongoClient,
    ) {
      times.push(this.options.serverSelectionTimeoutMS);
      return Promise.reject(new Error('enough'));
    });
    try {
      await failureOf(new MongoStore('db', 'c').connect());
      await failureOf(new MongoStore('db', 'c', { mongoclientKwargs: SHORT }).connect());
      await failureOf(
        new MongoURIStore('mongodb://h/db?serverselectiontimeoutms=7', 'c').connect(),
      );
    } finally {
      spy.mockRestore();
    }
    expect(times).toEqual([10_000, 300, 7]);
  });

  test('an option that the driver does not know fails with its name', async () => {
    const store = new MongoStore('db', 'c', { mongoclientKwargs: { bogus_option: 1 } });
    expect((await failureOf(store.connect())).message).toMatch(/localhost:27017.*bogus_option/);
  });
});

describe('credentials', () => {
  async function seen(store: MongoStore) {
    let options: mongodb.MongoOptions | undefined;
    const spy = vi.spyOn(mongodb.MongoClient.prototype, 'connect').mockImplementation(function (
      this: mongodb.MongoClient,
    ) {
      options = this.options;
      return Promise.reject(new Error('the password is hunter2!'));
    });
    try {
      const error = await failureOf(store.connect());
      expect(error.message).toContain('the password is ***');
    } finally {
      spy.mockRestore();
    }
    return options;
  }

  test('are handed to the driver, with the database that knows the user', async () => {
    const byDefault = await seen(new MongoStore('db', 'c', LOGIN));
    expect(byDefault?.credentials).toMatchObject({ ...LOGIN, source: 'db' });
    const admin = await seen(new MongoStore('db', 'c', { ...LOGIN, authSource: 'admin' }));
    expect(admin?.credentials).toMatchObject({ ...LOGIN, source: 'admin' });
    const byUri = await seen(new MongoURIStore('mongodb://me:hunter2%21@h/db', 'c'));
    expect(byUri?.credentials).toMatchObject({ ...LOGIN, source: 'db' });
  });

  test('are none when there is no user name', async () => {
    const anonymous = new MongoStore('db', 'c', { password: LOGIN.password });
    expect((await seen(anonymous))?.credentials).toBeUndefined();
  });

  test('other options arrive, and those that only pymongo knows are left out', async () => {
    const mongoclientKwargs = { connect: false, tz_aware: true, appName: 'x', replicaSet: 'r' };
    const options = await seen(new MongoStore('db', 'c', { ...LOGIN, mongoclientKwargs }));
    expect(options).toMatchObject({ appName: 'x', replicaSet: 'r' });
  });
});

describeMongo('connecting', () => {
  const database = uniqueDatabase();

  test('again and again, and closing', async () => {
    const store = mongoStore(database, 'again');
    await store.close();
    await store.connect();
    await store.connect();
    expect(store.connected).toBe(true);
    await store.update({ task_id: 1 });
    await store.close();
    await store.close();
    expect(store.connected).toBe(false);
    await expect(store.count()).rejects.toMatchObject({ code: 'STORE_NOT_CONNECTED' });
    await store.connect();
    expect(await store.count()).toBe(1);
    await store.connect({ forceReset: true });
    expect(await store.count()).toBe(1);
    await store.close();
  });

  test('opens a new connection with forceReset, and closes the old one', async () => {
    const close = vi.spyOn(mongodb.MongoClient.prototype, 'close');
    await using store = mongoStore(database, 'reset');
    await store.connect();
    await store.connect();
    expect(close).not.toHaveBeenCalled();
    await store.connect({ forceReset: true });
    expect(close).toHaveBeenCalledOnce();
    close.mockRestore();
  });

  test('a failed attempt leaves no client behind', async () => {
    const close = vi.spyOn(mongodb.MongoClient.prototype, 'close');
    const port = await closedPort();
    const options = { host: '127.0.0.1', port, mongoclientKwargs: SHORT };
    await failureOf(new MongoStore('db', 'c', options).connect());
    expect(close).toHaveBeenCalledOnce();
    close.mockRestore();
  });

  test('by URI means the same collection', async () => {
    await using plain = mongoStore(database, 'same');
    await using byUri = new MongoURIStore(MONGODB_URI, 'same', { database });
    expect(byUri.identity).toBe(plain.identity);
    expect(plain.identity).toBe(`mongodb:${serverAddress()}/${database}/same`);
    await Promise.all([plain.connect(), byUri.connect()]);
    await plain.update({ task_id: 'a', v: 1 });
    expect(await byUri.queryOne({ task_id: 'a' })).toMatchObject({ v: 1 });
  });

  test('a wrong password is an error that does not show it', async () => {
    const store = mongoStore(database, 'login', {
      username: serverOptions().username || 'nobody',
      password: 'hunter2!wrong',
      authSource: 'admin',
    });
    const error = await failureOf(store.connect());
    expect(error).toMatchObject({ code: 'STORE_CONNECTION' });
    expect(error.message).toContain(serverAddress());
    expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/hunter2/);
    expect(store.connected).toBe(false);
  });

  test('a query that is being read ends with an error when the store is closed', async () => {
    const store = mongoStore(database, 'closing');
    await store.connect();
    await store.update(Array.from({ length: 50 }, (_, i) => ({ task_id: i })));
    const batches = store.query().batches(10)[Symbol.asyncIterator]();
    await batches.next();
    await store.close();
    await expect(batches.next()).rejects.toMatchObject({ code: 'STORE_NOT_CONNECTED' });
  });
});
