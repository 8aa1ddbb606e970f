// The law of projection-convergence.test.ts holds for every store; this is whether a server sorts and finds alike.
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/store-options.js';
import { SCALE, SEED } from '../effort.js';
import { describeMongo, mongoStore, uniqueDatabase } from '../store/mongo/server.js';
import {
  checkConvergence,
  optionSets,
  SOURCE_OPTIONS,
  scripts,
  TARGET_OPTIONS,
} from './projection-edits.js';

describeMongo('a ProjectionBuilder over a server', () => {
  const database = uniqueDatabase();
  const opened: Store[] = [];
  afterAll(() => Promise.all(opened.map((store) => store.close())));

  test('leaves what a full build would give, and the next run builds nothing', async () => {
    console.log(`ProjectionBuilder over a server: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);
    const open = async (options: StoreOptions, i: number): Promise<Store> => {
      const store = mongoStore(database, `c${i}`, options);
      opened.push(store);
      await store.connect();
      return store;
    };
    const sources = await Promise.all(SOURCE_OPTIONS.map(open));
    const target = await open(TARGET_OPTIONS, sources.length);
    const property = fc.asyncProperty(scripts, optionSets, async (script, options) => {
      await Promise.all(opened.map((store) => store.removeDocs({})));
      await checkConvergence(script, options, { sources, target });
    });
    await fc.assert(property, { numRuns: Math.ceil(200 * SCALE), seed: SEED });
  }, 600_000);
});
