import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Doc, Processor } from 'maggma';
import { MemoryStore, MongoURIStore, MultiProcessor, SerialProcessor } from 'maggma';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import { kilobyteDoc, many } from './documents.js';
import { SlowTargetBuilder, SpinBuilder, TrivialBuilder } from './pool-builders.js';
import type { Variant, Workload } from './workload.js';

const WORKERS = 2;
const TASK = new URL('./spin-task.mjs', import.meta.url).href;
/** How much the items of one measurement cost in all, in microseconds of one core. */
const TOTAL = 8_000_000;

const memory = () => new MemoryStore({ key: 'k' });
const multi = (): Processor => new MultiProcessor({ numWorkers: WORKERS });
const serial = (): Processor => new SerialProcessor();

const spins =
  (microseconds: number, create: () => Processor): Variant =>
  async (items) => {
    const builder = new SpinBuilder(memory(), memory(), { items, microseconds });
    return async () => {
      await create().run(builder);
      if (builder.written !== items) throw new RangeError(`${builder.written} of ${items} items`);
    };
  };

/** The same work by hand: at most so many items in flight that the pool never waits for one. */
const pooled =
  (
    microseconds: number,
    open: () => { run(task: object): Promise<Doc>; destroy(): Promise<void> },
  ): Variant =>
  async (items) =>
  async () => {
    const pool = open();
    let next = 0;
    let written = 0;
    const lane = async () => {
      while (next < items) {
        await pool.run({ k: next++, microseconds });
        written++;
      }
    };
    await Promise.all(Array.from({ length: 4 * WORKERS }, lane));
    await pool.destroy();
    if (written !== items) throw new RangeError(`${written} of ${items} items`);
  };

const PEERS = {
  piscina: () => new Piscina({ filename: TASK, minThreads: WORKERS, maxThreads: WORKERS }),
  tinypool: () => new Tinypool({ filename: TASK, minThreads: WORKERS, maxThreads: WORKERS }),
};

/** What this machine can do at best: bare threads, each with its share of the items from the start. */
const halves =
  (microseconds: number): Variant =>
  async (items) =>
  async () => {
    const file = new URL('./spin-half.mjs', import.meta.url);
    const workerData = { items: items / WORKERS, microseconds };
    const workers = Array.from({ length: WORKERS }, () => new Worker(file, { workerData }));
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
  };

/** The same with what two cores give, which on some machines is less than twice as much as one. */
const besideIdeal = (microseconds: number, factor: number): Workload => ({
  title: `2 workers, items of ${microseconds / 1000} ms, start of the workers included`,
  sizes: [TOTAL / microseconds],
  rounds: 3,
  ours: spins(microseconds, multi),
  floor: halves(microseconds),
  floorName: `two bare threads with half of the items each; ${factor} of 2 is asked for`,
  target: Number((2 / factor).toFixed(2)),
  targetExponent: 1,
});

const speedUp = (microseconds: number, factor: number): Workload => ({
  title: `2 workers, items of ${microseconds / 1000} ms, start of the workers included`,
  sizes: [TOTAL / microseconds],
  rounds: 3,
  ours: spins(microseconds, multi),
  floor: spins(microseconds, serial),
  floorName: `serial; a speed-up of ${factor} is asked for`,
  target: Number((1 / factor).toFixed(2)),
  targetExponent: 1,
});

const besidePeer = (microseconds: number, peer: keyof typeof PEERS): Workload => ({
  title: `2 workers, items of ${microseconds / 1000} ms`,
  sizes: [TOTAL / microseconds],
  rounds: 3,
  ours: spins(microseconds, multi),
  floor: pooled(microseconds, PEERS[peer]),
  floorName: `${peer}, by hand`,
  target: 1.1,
  targetExponent: 1,
});

async function memorySource(size: number): Promise<MemoryStore> {
  const store = new MemoryStore({ key: 'k' });
  await store.connect();
  await store.update(many(size, kilobyteDoc));
  return store;
}

const trivialFromMemory =
  (create: () => Processor): Variant =>
  async (size) => {
    const builder = new TrivialBuilder(await memorySource(size), memory());
    return () => create().run(builder);
  };

const trivialFromMongo =
  (create: () => Processor): Variant =>
  async (size, _folder, defer) => {
    const database = `maggma_bench_${process.pid}`;
    const source = new MongoURIStore(process.env['MONGODB_URI'] ?? '', 'docs', {
      database,
      key: '_id',
    });
    await source.connect();
    defer(async () => {
      await source.removeDocs({});
      await source.close();
    });
    for (let at = 0; at < size; at += 1000)
      await source.update(many(1000, (k) => ({ _id: at + k, ...kilobyteDoc(at + k) })));
    const builder = new TrivialBuilder(source, memory());
    return () => create().run(builder);
  };

export const POOL_WORKLOADS: Readonly<Record<string, Workload>> = {
  'multi-0.1ms': speedUp(100, 1.6),
  'multi-1ms': speedUp(1000, 1.85),
  'multi-10ms': speedUp(10_000, 1.85),
  'multi-0.1ms-ideal': besideIdeal(100, 1.6),
  'multi-1ms-ideal': besideIdeal(1000, 1.85),
  'multi-10ms-ideal': besideIdeal(10_000, 1.85),
  'multi-0.1ms-piscina': besidePeer(100, 'piscina'),
  'multi-1ms-piscina': besidePeer(1000, 'piscina'),
  'multi-10ms-piscina': besidePeer(10_000, 'piscina'),
  'multi-0.1ms-tinypool': besidePeer(100, 'tinypool'),
  'multi-1ms-tinypool': besidePeer(1000, 'tinypool'),
  'multi-10ms-tinypool': besidePeer(10_000, 'tinypool'),
  'multi-trivial-memory': {
    title: '2 workers, trivial items, 1-KB documents from a MemoryStore into one',
    sizes: [100_000],
    rounds: 3,
    ours: trivialFromMemory(multi),
    floor: trivialFromMemory(serial),
    floorName: 'serial',
    target: 2,
    targetExponent: 1,
  },
  'multi-trivial-mongo': {
    title: '2 workers, trivial items, 1-KB documents from a MongoStore into a MemoryStore',
    sizes: [20_000],
    rounds: 3,
    needs: 'MONGODB_URI',
    ours: trivialFromMongo(multi),
    floor: trivialFromMongo(serial),
    floorName: 'serial',
    target: 1,
    targetExponent: 1,
  },
  'multi-slow-target': {
    title: '40 items of 30 ms, 300 ms for each write of 10, 2 workers',
    sizes: [40],
    rounds: 3,
    ours: async (items) => {
      const builder = new SlowTargetBuilder(memory(), memory(), {
        items,
        microseconds: 30_000,
        chunkSize: 10,
      });
      return () => multi().run(builder);
    },
    floor: async () => () => new Promise((resolve) => setTimeout(resolve, 1200)),
    floorName: 'the writes alone; the start of the workers is on our side',
    target: 1.5,
    targetExponent: 1,
  },
  'multi-start': {
    title: 'one trivial item with one worker',
    sizes: [1],
    ours: async () => {
      const builder = new TrivialBuilder(await memorySource(1), memory());
      return () => new MultiProcessor({ numWorkers: 1 }).run(builder);
    },
    floor: pooled(1, () => new Piscina({ filename: TASK, minThreads: 1, maxThreads: 1 })),
    floorName: 'piscina, a worker that imports nothing',
    target: 8,
    targetExponent: 1,
  },
};
