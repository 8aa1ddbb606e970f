import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MongoStore } from '../../src/store/mongo/mongo-store.js';
import { SCALE, SEED } from '../effort.js';
import { describeMongo, serverOptions, uniqueDatabase } from '../store/mongo/server.js';
import { COMMON_VALUES, convergence } from './group-convergence.js';

describeMongo('GroupBuilder on a server', () => {
  const database = uniqueDatabase();
  let collections = 0;

  test('what was built step by step is what is built at once', { timeout: 600_000 }, async () => {
    console.log(`GroupBuilder, MongoStore: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);
    const open = async (key: string) => {
      const store = new MongoStore(database, `c${++collections}`, { ...serverOptions(), key });
      await store.connect();
      return store;
    };
    const numRuns = Math.ceil(200 * SCALE);
    await fc.assert(convergence(open, COMMON_VALUES), { seed: SEED, numRuns });
    expect(collections).toBeGreaterThan(numRuns);
  });
});
