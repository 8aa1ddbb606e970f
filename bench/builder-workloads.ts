import type { Doc, Store } from 'maggma';
import { GroupBuilder, MemoryStore } from 'maggma';
import { many, smallDoc } from './documents.js';
import type { Variant, Workload } from './workload.js';

const DOCS = 100_000;
const CHANGED = DOCS / 100;

class SumBuilder extends GroupBuilder {
  unaryFunction(items: Doc[]): Doc {
    return { sum: items.reduce((sum, item) => sum + item['value'], 0) };
  }
}

/** As good as random, and always the same. */
const scattered = (i: number): number => (Math.imul(i + 1, 0x9e3779b1) >>> 0) % DOCS;

async function opened(key: string, docs: readonly Doc[] = []): Promise<Store> {
  const store = new MemoryStore({ key });
  await store.connect();
  await store.update(docs);
  return store;
}

/** Documents in groups that were built, of which one in a hundred changed since. */
async function changed(groups: number): Promise<{ source: Store; target: Store }> {
  const make = (k: number) => ({ ...smallDoc(k), group: k % groups });
  const [source, target] = [await opened('k', many(DOCS, make)), await opened('group')];
  await new SumBuilder(source, target, ['group']).run();
  const later = new Date(2_000_000_000_000);
  await source.update(
    many(CHANGED, (i) => ({ ...make(scattered(i)), value: 0, last_updated: later })),
  );
  return { source, target };
}

const incremental: Variant = async (groups) => {
  const { source, target } = await changed(groups);
  return async () => {
    const { total, succeeded } = await new SumBuilder(source, target, ['group']).run();
    if (total === 0 || total !== succeeded) throw new RangeError(`${succeeded} of ${total} groups`);
  };
};

/** Reads what says whether anything is due, and does nothing about it. */
const scans: Variant = async (groups) => {
  const { source, target } = await changed(groups);
  const properties = {
    source: ['k', 'last_updated', 'group'],
    target: ['group', 'last_updated', 'ks'],
  };
  return async () => {
    for await (const _ of source.query({}, { properties: properties.source }).batches(1000));
    for await (const _ of target.query({}, { properties: properties.target }).batches(1000));
  };
};

export const BUILDER_WORKLOADS: Readonly<Record<string, Workload>> = {
  'group-incremental': {
    title: `GroupBuilder over ${DOCS} documents in so many groups, 1 % of the documents changed, MemoryStore → MemoryStore`,
    sizes: [1_000, 50_000],
    rounds: 3,
    ours: incremental,
    floor: scans,
    floorName: 'one scan of source and target, nothing built',
    target: 7,
    targetExponent: 1,
  },
};
