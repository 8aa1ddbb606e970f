import { describe, it } from 'vitest';
import { testStore } from '../../src/testing/index.js';
import { describeMongo, mongoStore, uniqueDatabase } from '../store/mongo/server.js';

describeMongo('the contract, on a server', () => {
  const database = uniqueDatabase();
  let collections = 0;

  testStore(
    { describe, it },
    {
      name: 'MongoStore',
      create: (options) => mongoStore(database, `c${++collections}`, options),
    },
  );
});
