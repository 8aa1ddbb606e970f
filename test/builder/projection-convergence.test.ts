import fc from 'fast-check';
import { describe, test } from 'vitest';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import type { Store } from '../../src/store/store.js';
import { SCALE, SEED } from '../effort.js';
import { opened } from '../store/sqlite/support.js';
import {
  checkConvergence,
  optionSets,
  SOURCE_OPTIONS,
  scripts,
  TARGET_OPTIONS,
} from './projection-edits.js';

console.log(`ProjectionBuilder converges: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);

const OPENERS: Readonly<Record<string, (options: object) => Promise<Store>>> = {
  MemoryStore: async (options) => {
    const store = new MemoryStore(options);
    await store.connect();
    return store;
  },
  SQLiteStore: (options) => opened(options),
};

describe.each(Object.entries(OPENERS))('over %s', (name, open) => {
  const numRuns = Math.ceil((name === 'MemoryStore' ? 2000 : 300) * SCALE);

  test('each run leaves what a full build would give, and the next one builds nothing', async () => {
    const property = fc.asyncProperty(scripts, optionSets, async (script, options) => {
      const sources = await Promise.all(SOURCE_OPTIONS.map(open));
      const target = await open(TARGET_OPTIONS);
      await checkConvergence(script, options, { sources, target });
      await Promise.all([...sources, target].map((store) => store.close()));
    });
    await fc.assert(property, { numRuns, seed: SEED });
  }, 600_000);
});
