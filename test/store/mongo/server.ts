import { randomBytes } from 'node:crypto';
import mongodb from 'mongodb';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Doc } from '../../../src/query/document.js';
import { toAuthority } from '../../../src/store/mongo/mongo-hosts.js';
import type { MongoStoreOptions } from '../../../src/store/mongo/mongo-options.js';
import { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { parseMongoUri } from '../../../src/store/mongo/mongo-uri.js';
import type { Store } from '../../../src/store/store.js';

/** Where the tests find a MongoDB-compatible server; empty when there is none. */
export const MONGODB_URI: string = process.env['MONGODB_URI'] ?? '';

/** A group of tests that needs a server: skipped, and that loudly, where `MONGODB_URI` is not set. */
export function describeMongo(name: string, tests: () => void): void {
  if (MONGODB_URI !== '') describe(name, tests);
  else {
    console.warn(`\n!!! SKIPPED, because MONGODB_URI is not set: ${name}\n`);
    describe.skip(name, tests);
  }
}

/** The name of a database that no other test has; it is dropped after the tests of the group. */
export function uniqueDatabase(): string {
  const name = `test_${randomBytes(6).toString('hex')}`;
  afterAll(async () => {
    if (MONGODB_URI !== '') await withClient((client) => client.db(name).dropDatabase());
  });
  return name;
}

/** Lends the bare driver, to look at what is really stored. */
export async function withClient<R>(
  action: (client: mongodb.MongoClient) => Promise<R>,
): Promise<R> {
  const client = new mongodb.MongoClient(MONGODB_URI);
  try {
    return await action(client);
  } finally {
    await client.close();
  }
}

/** The server's address, in the options of a MongoStore. */
export function serverOptions(): {
  host: string;
  port: number;
  username: string;
  password: string;
} {
  const { hosts, username, password } = parseMongoUri(MONGODB_URI);
  const [{ name: host, port } = { name: '', port: 0 }] = hosts;
  return { host, port, username, password };
}

/** `host:port` of the server. */
export const serverAddress = (): string =>
  parseMongoUri(MONGODB_URI).hosts.map(toAuthority).join(',');

/** A MongoStore on the server, not connected. */
export function mongoStore(
  database: string,
  collection: string,
  options: MongoStoreOptions = {},
): MongoStore {
  return new MongoStore(database, collection, { ...serverOptions(), ...options });
}

/** Connects a store before the tests of the group, and closes it after them. */
export function connected<S extends Store>(make: () => S): () => S {
  let store: S | undefined;
  beforeAll(async () => {
    store = make();
    await store.connect();
  });
  afterAll(() => store?.close());
  return () => {
    if (store === undefined) throw new Error('the store is connected before the tests only');
    return store;
  };
}

/** What the server holds, as the bare driver reads it. */
export const stored = (database: string, collection: string): Promise<Doc[]> =>
  withClient((client) => client.db(database).collection<Doc>(collection).find().toArray());
