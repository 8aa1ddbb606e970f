import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { MultiProcessor } from '../../src/processor/multiprocess/multi-processor.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import { SCALE, SEED } from '../effort.js';
import { GroupTotalBuilder } from '../fixtures/group-total-builder.js';
import { at, contents, storeWith } from '../fixtures/stores.js';
import type { Open } from './group-convergence.js';
import { convergence } from './group-convergence.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-groups-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

const STORES: Readonly<Record<string, { readonly runs: number; readonly open: Open }>> = {
  MemoryStore: {
    runs: 1200,
    open: async (key) => {
      const store = new MemoryStore({ key });
      await store.connect();
      return store;
    },
  },
  SQLiteStore: {
    runs: 400,
    open: async (key) => {
      const store = new SQLiteStore(path.join(folder, `${++files}.db`), 'docs', { key });
      await store.connect();
      return store;
    },
  },
};

test.each(Object.entries(STORES))(
  'in a %s, what was built step by step is what is built at once',
  { timeout: Math.max(120_000, 600_000 * SCALE) },
  async (name, { runs, open }) => {
    console.log(`GroupBuilder, ${name}: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);
    await fc.assert(convergence(open), { seed: SEED, numRuns: Math.ceil(runs * SCALE) });
  },
);

test('two workers build what one thread builds', async () => {
  const docs = Array.from({ length: 400 }, (_, k) => ({
    k,
    g: [k % 40, [k % 40, 1], null, undefined][k % 4],
    v: k,
    last_updated: at(k),
  }));
  const source = await storeWith(docs);
  const [serial, parallel] = [
    await storeWith([], { key: 'id' }),
    await storeWith([], { key: 'id' }),
  ];
  const expected = await new GroupTotalBuilder(source, serial, ['g']).run();
  const processor = new MultiProcessor({ numWorkers: 2 });
  const report = await processor.run(new GroupTotalBuilder(source, parallel, ['g']));
  expect(report).toMatchObject({
    status: 'succeeded',
    total: 22,
    succeeded: expected.succeeded,
    failed: expected.failed,
    skipped: expected.skipped,
  });
  expect(report.failed).toBeGreaterThan(0);
  expect(report.skipped).toBeGreaterThan(0);
  expect(await contents(parallel)).toEqual(await contents(serial));
  expect((await processor.run(new GroupTotalBuilder(source, parallel, ['g']))).total).toBe(0);
});
