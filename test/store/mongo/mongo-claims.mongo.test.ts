import { testClaims } from '../claim-board.js';
import { describeMongo, mongoStore, uniqueDatabase } from './server.js';

describeMongo('claims', () => {
  const database = uniqueDatabase();
  testClaims('MongoStore', async () => {
    const stores = [mongoStore(database, 'target'), mongoStore(database, 'target')] as const;
    for (const store of stores) await store.connect();
    return [...stores];
  });
});
