import { deepStrictEqual, equal } from 'node:assert/strict';
import { ObjectId } from 'bson';
import type { StoreSuite } from './store-suite.js';

/** The newest time stamp, and what is newer elsewhere. */
export function testTimeStamps({ it, create, withStore }: StoreSuite): void {
  const at = (seconds: number) => new Date(Date.UTC(2020, 0, 1, 0, 0, seconds));

  it('has no newest time stamp when it is empty, or has none', () =>
    withStore(async (store) => {
      equal(await store.lastUpdated(), null);
      await store.update({ k: 1 });
      equal(await store.lastUpdated(), null);
    }));

  it('finds the newest time stamp among dates and texts of any zone', () =>
    withStore(async (store) => {
      await store.update([
        { k: 1, last_updated: at(5) },
        { k: 2, last_updated: '2020-01-01T00:00:09' },
        { k: 3, last_updated: '2020-01-01T01:00:07+01:00' },
        { k: 4 },
      ]);
      deepStrictEqual(await store.lastUpdated(), at(9));
    }));

  it('lists the keys that are absent here or older here', async () => {
    await using target = await create({ key: 'k' });
    await using source = await create({ key: 'id', lastUpdatedField: 'changed' });
    await target.connect();
    await source.connect();
    await target.update([
      { k: 1, last_updated: at(1) },
      { k: 2, last_updated: at(1) },
      { k: 'c', last_updated: at(9) },
      { k: 'd' },
      { k: 'e', last_updated: at(1) },
    ]);
    await source.update([
      { id: 1, changed: at(1) },
      { id: 2, changed: '2020-01-01T00:00:02Z' },
      { id: 'c', changed: at(2) },
      { id: 'd', changed: at(2) },
      { id: 'e' },
      { id: 'f' },
      { id: new ObjectId('562e8301218dcbbc3d7d91ce'), changed: at(1) },
    ]);
    const keys = await target.newerIn(source).toArray();
    deepStrictEqual(keys.map(String), ['2', 'd', 'f', '562e8301218dcbbc3d7d91ce']);
    deepStrictEqual(await target.newerIn(source, { criteria: { id: 'd' } }).toArray(), ['d']);
    deepStrictEqual(await target.newerIn(source, { exhaustive: false }).toArray(), []);
  });
}
