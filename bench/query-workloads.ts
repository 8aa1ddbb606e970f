import path from 'node:path';
import type { Criteria, Doc, Store } from 'maggma';
import { MemoryStore, SQLiteStore } from 'maggma';
import { Aggregator, Query } from 'mingo';
import siftModule from 'sift';
import { many } from './documents.js';
import type { Variant, Workload } from './workload.js';

// CommonJS: Node makes the function itself the default export, its types say otherwise.
const sift = siftModule as unknown as (typeof siftModule)['default'];

const SIZES = [50_000, 500_000];
/** The peers compare each document with each of 1000 keys: ten times as many would take them minutes. */
const SMALL = [50_000];

const doc = (k: number): Doc => ({
  k: `key-${k}`,
  n: (k * 7919) % 100_003,
  group: k % 50,
  tags: [`t${k % 10}`, `u${k % 7}`],
  nested: { value: k % 1000, text: `some text ${k}` },
  last_updated: new Date(1_600_000_000_000 + k),
});

/** Asks a question several times, so that it takes long enough to be measured. */
const times = (n: number, ask: () => Promise<unknown> | unknown) => async () => {
  for (let i = 0; i < n; i++) await ask();
};

interface Question {
  readonly title: string;
  readonly repeat: number;
  readonly sizes?: readonly number[];
  /** Ten times faster than a scan is the aim for questions that an index answers. */
  readonly target: number;
  ask(store: Store, size: number): Promise<unknown>;
  mingo(docs: readonly Doc[], size: number): unknown;
  sift?(docs: readonly Doc[], size: number): unknown;
}

const keys = (size: number): string[] =>
  Array.from({ length: 1000 }, (_, i) => `key-${(i * 37) % size}`);

const find = (
  title: string,
  criteria: (size: number) => Criteria,
  repeat: number,
  target: number,
): Question => ({
  title,
  repeat,
  target,
  ask: (store, size) => store.query(criteria(size)).toArray(),
  mingo: (docs, size) => new Query(criteria(size)).find([...docs]).all(),
  sift: (docs, size) => docs.filter(sift(criteria(size))),
});

const QUESTIONS: Readonly<Record<string, Question>> = {
  scan: find('full scan, a tenth matches', () => ({ 'nested.value': { $lt: 100 } }), 3, 1),
  equality: find('equality on the key', (size) => ({ k: `key-${size - 1}` }), 20, 0.1),
  in: {
    ...find('$in of 1000 keys', (size) => ({ k: { $in: keys(size) } }), 1, 0.1),
    sizes: SMALL,
  },
  range: find('range on an indexed field', () => ({ n: { $gte: 5000, $lt: 5100 } }), 10, 0.1),
  sort: {
    title: 'sort and limit',
    repeat: 1,
    target: 1,
    ask: (store) => store.query({}, { sort: { n: -1 }, limit: 10 }).toArray(),
    mingo: (docs) =>
      new Query({})
        .find([...docs])
        .sort({ n: -1 })
        .limit(10)
        .all(),
  },
  group: {
    title: 'groupBy',
    repeat: 1,
    target: 1,
    async ask(store) {
      for await (const { docs } of store.groupBy('group', {}, { properties: ['k'] })) void docs;
    },
    mingo: (docs) =>
      new Aggregator([{ $group: { _id: { group: '$group' }, docs: { $push: { k: '$k' } } } }]).run([
        ...docs,
      ]),
  },
  distinct: {
    title: 'distinct through arrays',
    repeat: 1,
    target: 1,
    ask: (store) => store.distinct('tags'),
    mingo: (docs) =>
      new Aggregator([{ $unwind: '$tags' }, { $group: { _id: '$tags' } }]).run([...docs]),
  },
};

const ours =
  (question: Question, open: (folder: string) => Store): Variant =>
  async (size, folder) => {
    const store = open(folder);
    await store.connect();
    for (let at = 0; at < size; at += 10_000) await store.update(many(10_000, (k) => doc(at + k)));
    await store.ensureIndex('n');
    return times(question.repeat, () => question.ask(store, size));
  };

const peer =
  (question: Question, ask: (docs: readonly Doc[], size: number) => unknown): Variant =>
  async (size) => {
    const docs = many(size, doc);
    return times(question.repeat, () => ask(docs, size));
  };

const STORES: Readonly<Record<string, (folder: string) => Store>> = {
  memory: () => new MemoryStore({ key: 'k' }),
  sqlite: (folder) => new SQLiteStore(path.join(folder, 'bench.db'), 'docs', { key: 'k' }),
};

/** Questions to stores, beside what the two best-known engines need for the same documents in an array. */
export const QUERY_WORKLOADS: Readonly<Record<string, Workload>> = Object.fromEntries(
  Object.entries(STORES).flatMap(([name, open]) =>
    Object.entries(QUESTIONS).flatMap(([kind, question]) =>
      (['mingo', 'sift'] as const).flatMap((engine) => {
        const ask = question[engine];
        if (ask === undefined) return [];
        const workload: Workload = {
          title: `${name}: ${question.title}`,
          sizes: question.sizes ?? SIZES,
          rounds: 3,
          ours: ours(question, open),
          floor: peer(question, ask),
          floorName: engine,
          target: question.target,
          targetExponent: 1.1,
        };
        return [[`${name}-${kind}-${engine}`, workload] as const];
      }),
    ),
  ),
);
