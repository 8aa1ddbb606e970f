import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Doc, Store } from 'maggma';
import { CopyBuilder, MemoryStore, SQLiteStore } from 'maggma';
import { kilobyteDoc, many } from './documents.js';
import type { Variant, Workload } from './workload.js';

const CHUNK = 1000;

const sqlite = (folder: string, name: string): Store =>
  new SQLiteStore(path.join(folder, 'bench.db'), name, { key: 'k' });

async function fill(store: Store, size: number, make: (k: number) => Doc): Promise<void> {
  for (let at = 0; at < size; at += CHUNK) await store.update(many(CHUNK, (k) => make(at + k)));
}

/** The same documents into a table of JSON text, by the bare driver in the same batches. */
const bareInserts: Variant = async (size, folder) => {
  const { DatabaseSync } = await import('@photostructure/sqlite');
  const database = new DatabaseSync(path.join(folder, 'bare.db'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE docs (k INTEGER PRIMARY KEY, doc TEXT)');
  const insert = database.prepare('INSERT OR REPLACE INTO docs VALUES (?, ?)');
  const docs = many(size, kilobyteDoc);
  return async () => {
    for (let at = 0; at < size; at += CHUNK) {
      database.exec('BEGIN IMMEDIATE');
      for (const doc of docs.slice(at, at + CHUNK)) insert.run(doc.k, JSON.stringify(doc));
      database.exec('COMMIT');
    }
  };
};

const inserts: Variant = async (size, folder) => {
  const store = sqlite(folder, 'docs');
  await store.connect();
  const docs = many(size, kilobyteDoc);
  return async () => {
    for (let at = 0; at < size; at += CHUNK) await store.update(docs.slice(at, at + CHUNK));
  };
};

const upserts: Variant = async (size, folder, defer) => {
  const again = await inserts(size, folder, defer);
  await again();
  return again;
};

const bareUpserts: Variant = async (size, folder, defer) => {
  const again = await bareInserts(size, folder, defer);
  await again();
  return again;
};

const small = (k: number): Doc => ({ k, last_updated: new Date(1_600_000_000_000 + k) });

/** Two collections alike but for some documents, in SQLite files. */
async function twoSides(size: number, folder: string, changed = 18): Promise<[Store, Store]> {
  const [source, target] = [sqlite(folder, 'source'), sqlite(folder, 'target')];
  for (const store of [source, target]) {
    await store.connect();
    await store.ensureIndex(['k', 'last_updated']);
    await fill(store, size, small);
  }
  await source.update(
    many(changed, (i) => ({ k: Math.floor((i * size) / changed), last_updated: new Date() })),
  );
  return [source, target];
}

const keyScan = async (store: Store): Promise<number> => {
  let seen = 0;
  const cursor = store.query({}, { properties: { _id: 0, k: 1, last_updated: 1 }, sort: { k: 1 } });
  for await (const batch of cursor.batches(CHUNK)) seen += batch.length;
  return seen;
};

const keyScans: Variant = async (size, folder) => {
  const [source, target] = await twoSides(size, folder);
  return async () => {
    writeFileSync('/dev/null', String((await keyScan(source)) + (await keyScan(target))));
  };
};

export const STORE_WORKLOADS: Readonly<Record<string, Workload>> = {
  'sqlite-insert': {
    title: 'SQLiteStore.update() of new 1-KB documents, 1000 at a time',
    sizes: [10_000, 50_000],
    rounds: 3,
    ours: inserts,
    floor: bareInserts,
    floorName: 'the bare driver, JSON text by key',
    target: 3,
    targetExponent: 1.1,
  },
  'sqlite-upsert': {
    title: 'SQLiteStore.update() of existing 1-KB documents, 1000 at a time',
    sizes: [10_000, 50_000],
    rounds: 3,
    ours: upserts,
    floor: bareUpserts,
    floorName: 'the bare driver, JSON text by key',
    target: 4,
    targetExponent: 1.1,
  },
  'sqlite-copy': {
    title: 'first build of a CopyBuilder, 1-KB documents, SQLiteStore → SQLiteStore',
    sizes: [10_000, 100_000],
    rounds: 3,
    ours: async (size, folder) => {
      const [source, target] = [sqlite(folder, 'source'), sqlite(folder, 'target')];
      await source.connect();
      await fill(source, size, kilobyteDoc);
      await target.connect();
      return () => new CopyBuilder(source, target).run();
    },
    floor: async (size, folder) => {
      const [source, target] = [sqlite(folder, 'source'), sqlite(folder, 'target')];
      await source.connect();
      await fill(source, size, kilobyteDoc);
      await target.connect();
      return async () => {
        for await (const docs of source.query().batches(CHUNK))
          await target.update(docs.map(({ _id, ...doc }) => doc));
      };
    },
    floorName: 'hand loop, same stores and batches',
    target: 1.5,
    targetExponent: 1.1,
  },
  'diff-sqlite': {
    title: 'newerIn of two SQLiteStores, 18 keys differ',
    sizes: [100_000, 1_000_000],
    rounds: 3,
    ours: async (size, folder) => {
      const [source, target] = await twoSides(size, folder);
      return async () => {
        const keys = await target.newerIn(source).toArray();
        if (keys.length !== 18) throw new RangeError(`${keys.length} keys, not 18`);
      };
    },
    floor: keyScans,
    floorName: 'reading both sides in key order',
    target: 1.5,
    targetExponent: 1.1,
  },
  'copy-second': {
    title: 'second run of a CopyBuilder, nothing changed, SQLiteStore → SQLiteStore',
    sizes: [100_000],
    rounds: 3,
    ours: async (size, folder) => {
      const [source, target] = await twoSides(size, folder, 0);
      return async () => {
        const { total } = await new CopyBuilder(source, target).run();
        if (total !== 0) throw new RangeError(`${total} items, not 0`);
      };
    },
    floor: keyScans,
    floorName: 'reading both sides in key order',
    target: 1.3,
    targetExponent: 1.1,
  },
  'plan-sqlite': {
    title: 'plan() of a CopyBuilder over two SQLiteStores, 18 keys differ',
    sizes: [100_000, 1_000_000],
    rounds: 3,
    ours: async (size, folder) => {
      const [source, target] = await twoSides(size, folder);
      return async () => {
        let entries = 0;
        for await (const _ of new CopyBuilder(source, target).plan()) entries++;
        if (entries !== 18) throw new RangeError(`${entries} entries, not 18`);
      };
    },
    floor: keyScans,
    floorName:
      'reading both sides in key order, once (a plan reads them twice: for what is due, and for orphans)',
    target: 3,
    targetExponent: 1.1,
  },
  'memory-upsert': {
    title: 'MemoryStore.update() of existing 1-KB documents',
    sizes: [10_000, 100_000],
    rounds: 3,
    ours: async (size) => {
      const store = new MemoryStore({ key: 'k' });
      await store.connect();
      const docs = many(size, kilobyteDoc);
      await store.update(docs);
      return () => store.update(docs);
    },
    floor: async (size) => {
      const docs = many(size, kilobyteDoc);
      const map = new Map<number, Doc>();
      return async () => {
        for (const doc of docs) map.set(doc.k, structuredClone(doc));
      };
    },
    floorName: 'structuredClone into a Map',
    target: 1,
    targetExponent: 1.15,
  },
};
