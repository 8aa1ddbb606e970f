import * as fc from 'fast-check';
import { CopyBuilder, MongoURIStore, SerialProcessor } from 'maggma';
import { expect, test } from 'vitest';
import { SCALE, SEED } from '../effort.js';
import { RemainderBuilder } from '../fixtures/remainder-builder.js';
import { describeMongo, MONGODB_URI, uniqueDatabase } from '../store/mongo/server.js';
import { converges, sequences } from './convergence.js';

describeMongo('over MongoStore', () => {
  const database = uniqueDatabase();
  let collections = 0;
  const store = async () => {
    const options = { database, key: 'k' };
    const opened = new MongoURIStore(MONGODB_URI, `c${collections++}`, options);
    await opened.connect();
    return opened;
  };
  const OPTIONS = { deleteOrphans: true, maxOrphanShare: 1 };

  test.each([
    ['MapBuilder', RemainderBuilder],
    ['CopyBuilder', CopyBuilder],
  ])(
    '%s converges',
    async (_, Builder) => {
      const numRuns = Math.ceil(40 * SCALE);
      await fc.assert(
        fc.asyncProperty(sequences, (sequence) =>
          converges(sequence, {
            store,
            builder: (source, target) => new Builder(source, target, OPTIONS),
            processor: () => new SerialProcessor(),
          }),
        ),
        { numRuns, seed: SEED },
      );
      expect(collections).toBeGreaterThan(0);
    },
    600_000,
  );
});
