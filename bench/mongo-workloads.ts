import type { Doc } from 'maggma';
import { MongoURIStore } from 'maggma';
import type { Collection } from 'mongodb';
import { kilobyteDoc, many } from './documents.js';
import type { Defer, Variant, Workload } from './workload.js';

const CHUNK = 1000;
const SIZES = [5_000, 20_000];
const NEEDS = 'MONGODB_URI';
const COLLECTION = 'docs';

/** By `_id`, for which no server has to choose an index: what is measured is not the server. */
const doc = (k: number): Doc => ({ _id: k, ...kilobyteDoc(k) });

/** A collection of 1-KB documents, in a database that is dropped afterwards. */
async function filled(size: number, defer: Defer): Promise<Collection<Doc>> {
  const { MongoClient } = await import('mongodb');
  const client = new MongoClient(process.env[NEEDS] ?? '');
  defer(() => client.close());
  const database = client.db(`maggma_bench_${process.pid}`);
  defer(() => database.dropDatabase());
  const collection = database.collection<Doc>(COLLECTION);
  for (let at = 0; at < size; at += CHUNK)
    await collection.insertMany(many(CHUNK, (k) => doc(at + k)));
  return collection;
}

/** A store of such a collection. */
async function opened(size: number, defer: Defer): Promise<MongoURIStore> {
  const { dbName: database } = await filled(size, defer);
  const uri = process.env[NEEDS] ?? '';
  const store = new MongoURIStore(uri, COLLECTION, { database, key: '_id' });
  await store.connect();
  defer(() => store.close());
  return store;
}

/** Writes all documents, a thousand at a time, one call after the other. */
const inChunks = (size: number, write: (docs: Doc[]) => Promise<unknown>) => {
  const docs = many(size, doc);
  return async () => {
    for (let at = 0; at < size; at += CHUNK) await write(docs.slice(at, at + CHUNK));
  };
};

function expectAll(seen: number, size: number): void {
  if (seen !== size) throw new RangeError(`${seen} documents, not ${size}`);
}

const reads: Variant = async (size, _folder, defer) => {
  const store = await opened(size, defer);
  return async () => {
    let seen = 0;
    for await (const docs of store.query().batches(CHUNK)) seen += docs.length;
    expectAll(seen, size);
  };
};

const bareReads: Variant = async (size, _folder, defer) => {
  const collection = await filled(size, defer);
  return async () => {
    let seen = 0;
    let batch: Doc[] = [];
    for await (const doc of collection.find({}, { batchSize: CHUNK })) {
      batch.push(doc);
      if (batch.length < CHUNK) continue;
      seen += batch.length;
      batch = [];
    }
    expectAll(seen, size);
  };
};

const writes: Variant = async (size, _folder, defer) => {
  const store = await opened(size, defer);
  return inChunks(size, (docs) => store.update(docs));
};

const bareWrites: Variant = async (size, _folder, defer) => {
  const collection = await filled(size, defer);
  return inChunks(size, (docs) =>
    collection.bulkWrite(
      docs.map((replacement) => ({
        replaceOne: { filter: { _id: replacement['_id'] }, replacement, upsert: true },
      })),
      { ordered: false },
    ),
  );
};

/** What a MongoStore adds to the driver. */
export const MONGO_WORKLOADS: Readonly<Record<string, Workload>> = {
  'mongo-read': {
    title: 'MongoStore.query() of all 1-KB documents, 1000 at a time',
    sizes: SIZES,
    rounds: 3,
    needs: NEEDS,
    ours: reads,
    floor: bareReads,
    floorName: 'find() of the bare driver, gathered into the same batches',
    target: 1.2,
    targetExponent: 1.1,
  },
  'mongo-write': {
    title: 'MongoStore.update() of existing 1-KB documents, 1000 at a time',
    sizes: SIZES,
    rounds: 3,
    needs: NEEDS,
    ours: writes,
    floor: bareWrites,
    floorName: 'bulkWrite() of the bare driver, unordered replaceOne with upsert',
    target: 1.2,
    targetExponent: 1.1,
  },
};
