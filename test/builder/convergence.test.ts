import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import type { Store } from 'maggma';
import { CopyBuilder, MemoryStore, MultiProcessor, SerialProcessor, SQLiteStore } from 'maggma';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCALE, SEED } from '../effort.js';
import { RemainderBuilder } from '../fixtures/remainder-builder.js';
import { converges, sequences } from './convergence.js';

console.log(`convergence: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);

let folder = '';
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-convergence-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const opened = async (store: Store): Promise<Store> => {
  await store.connect();
  return store;
};

const STORES = {
  MemoryStore: () => opened(new MemoryStore({ key: 'k' })),
  SQLiteStore: () =>
    opened(new SQLiteStore(path.join(folder, `${files++}.db`), 'docs', { key: 'k' })),
};

const OPTIONS = { deleteOrphans: true, maxOrphanShare: 1 };

const BUILDERS = {
  MapBuilder: (source: Store, target: Store) => new RemainderBuilder(source, target, OPTIONS),
  CopyBuilder: (source: Store, target: Store) => new CopyBuilder(source, target, OPTIONS),
  'MapBuilder by content': (source: Store, target: Store) =>
    new RemainderBuilder(source, target, { ...OPTIONS, compare: 'content', metaField: 'meta' }),
};

const serial = () => new SerialProcessor();

describe.each(Object.entries(STORES))('over %s', (name, store) => {
  const numRuns = Math.ceil((name === 'MemoryStore' ? 600 : 250) * SCALE);

  test.each(Object.entries(BUILDERS))(
    '%s converges',
    async (_, builder) => {
      let sequencesRun = 0;
      await fc.assert(
        fc.asyncProperty(sequences, async (sequence) => {
          sequencesRun++;
          await converges(sequence, { store, builder, processor: serial });
        }),
        { numRuns, seed: SEED },
      );
      expect(sequencesRun).toBe(numRuns);
    },
    600_000,
  );
});

test('with two workers it converges as well', async () => {
  const processor = () => new MultiProcessor({ numWorkers: 2 });
  const setup = { store: STORES.MemoryStore, builder: BUILDERS.MapBuilder, processor };
  await fc.assert(
    fc.asyncProperty(sequences, (sequence) => converges(sequence, setup)),
    { numRuns: Math.ceil(20 * SCALE), seed: SEED },
  );
}, 600_000);
