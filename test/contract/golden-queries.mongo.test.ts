// Only for a real server, which may itself differ from MongoDB.
import { expect, test } from 'vitest';
import { describeMongo, mongoStore, uniqueDatabase } from '../store/mongo/server.js';
import { markedCases, testGoldenQueries } from './golden-queries.js';

/** Where the server of the tests does not answer as MongoDB does. */
const DIFFERS: Readonly<Record<string, string>> = {
  'sort-empty-arr': 'it sorts an empty array beside null; MongoDB sorts it before',
};

describeMongo('on a server', () => {
  const database = uniqueDatabase();
  let collections = 0;

  testGoldenQueries({
    name: 'MongoStore',
    create: () => mongoStore(database, `c${++collections}`, { key: '_id' }),
    differs: DIFFERS,
  });

  test('every query that the golden file marks is listed with its reason', () => {
    expect(markedCases().filter((id) => DIFFERS[id] === undefined)).toEqual([]);
  });
});
