import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Doc, Store } from 'maggma';
import { CopyBuilder, dumpfn, JSONStore, MapBuilder, MemoryStore } from 'maggma';
import { BUILDER_WORKLOADS } from './builder-workloads.js';
import { DISTRIBUTED_WORKLOADS } from './distributed-workloads.js';
import { kilobyteDoc, many, smallDoc } from './documents.js';
import { MONGO_WORKLOADS } from './mongo-workloads.js';
import { POOL_WORKLOADS } from './pool-workloads.js';
import { QUERY_WORKLOADS } from './query-workloads.js';
import { STORE_WORKLOADS } from './store-workloads.js';
import type { CommandWorkload, Variant, Workload } from './workload.js';

class IdentityBuilder extends MapBuilder {
  unaryFunction(item: Doc): Doc {
    return item;
  }
}

async function opened(docs: readonly Doc[] = []): Promise<Store> {
  const store = new MemoryStore({ key: 'k' });
  await store.connect();
  await store.update(docs);
  return store;
}

const build =
  (make: (k: number) => Doc, Builder: new (source: Store, target: Store) => MapBuilder): Variant =>
  async (size) => {
    const builder = new Builder(await opened(many(size, make)), await opened());
    return () => builder.run();
  };

/** The same reads and the same writes, by hand. */
const copyLoop =
  (make: (k: number) => Doc): Variant =>
  async (size) => {
    const [source, target] = [await opened(many(size, make)), await opened()];
    return async () => {
      for await (const docs of source.query().batches(1000))
        await target.update(
          docs.map(({ _id, ...doc }) => {
            const started = performance.now();
            return {
              ...doc,
              state: 'successful',
              _process_time: (performance.now() - started) / 1000,
              _bt: new Date(),
            };
          }),
        );
    };
  };

const JSON_DOCS = (k: number) => ({ ...kilobyteDoc(k), last_updated: new Date(k).toISOString() });

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  noop: {
    title: 'first build of an identity MapBuilder, MemoryStore → MemoryStore',
    sizes: [10_000, 100_000],
    ours: build(smallDoc, IdentityBuilder),
    floor: copyLoop(smallDoc),
    floorName: 'hand loop, same stores and writes',
    target: 1.3,
    targetExponent: 1.05,
  },
  copy: {
    title: 'first build of a CopyBuilder, 1-KB documents, MemoryStore → MemoryStore',
    sizes: [5_000, 50_000],
    ours: build(kilobyteDoc, CopyBuilder),
    floor: copyLoop(kilobyteDoc),
    floorName: 'hand loop, same stores and writes',
    target: 1.3,
    targetExponent: 1.05,
  },
  'json-load': {
    title: 'JSONStore.connect(), 1-KB documents',
    sizes: [5_000, 50_000],
    ours: async (size, folder) => {
      const file = path.join(folder, 'load.json');
      await writeFile(file, JSON.stringify(many(size, JSON_DOCS)));
      const store = new JSONStore(file, { key: 'k' });
      return () => store.connect();
    },
    floor: async (size, folder) => {
      const file = path.join(folder, 'load.json');
      await writeFile(file, JSON.stringify(many(size, JSON_DOCS)));
      return async () => JSON.parse(await readFile(file, 'utf8'));
    },
    floorName: 'readFile and JSON.parse',
    target: 2,
    targetExponent: 1.1,
  },
  'json-save': {
    title: 'JSONStore.update() of all documents, 1 KB each',
    sizes: [5_000, 50_000],
    ours: async (size, folder) => {
      const store = new JSONStore(path.join(folder, 'save.json'), {
        key: 'k',
        readOnly: false,
        flush: 'close',
      });
      await store.connect();
      await store.update(many(size, kilobyteDoc));
      return () => store.close();
    },
    floor: async (size, folder) => {
      const docs = many(size, kilobyteDoc);
      return () => writeFile(path.join(folder, 'save.json'), JSON.stringify(docs));
    },
    floorName: 'JSON.stringify and one writeFile',
    target: 2,
    targetExponent: 1.1,
  },
  ...STORE_WORKLOADS,
  ...QUERY_WORKLOADS,
  ...MONGO_WORKLOADS,
  ...POOL_WORKLOADS,
  ...BUILDER_WORKLOADS,
  ...DISTRIBUTED_WORKLOADS,
};

const MRUN = new URL('../dist/cli/mrun.js', import.meta.url).pathname;

export const COMMANDS: Readonly<Record<string, CommandWorkload>> = {
  help: {
    title: 'mrun --help',
    args: [MRUN, '--help'],
    floorArgs: ['-e', '0'],
    floorName: 'node -e 0',
    targetExtraMs: 120,
    prepare: async () => {},
  },
  mrun: {
    title: 'mrun b.json, a CopyBuilder over 10 documents in JSON files',
    args: [MRUN, 'b.json'],
    floorArgs: ['-e', '0'],
    floorName: 'node -e 0',
    targetExtraMs: 350,
    prepare: async (folder) => {
      const file = (name: string) => path.join(folder, name);
      await writeFile(file('source.json'), JSON.stringify(many(10, smallDoc)));
      const source = new JSONStore(file('source.json'), { key: 'k' });
      const target = new JSONStore(file('target.json'), { key: 'k', readOnly: false });
      dumpfn(new CopyBuilder(source, target), file('b.json'));
    },
  },
};
