import { equal, ok, rejects } from 'node:assert/strict';
import { StoreNotConnectedError } from '../errors/store-errors.js';
import type { StoreSuite } from './store-suite.js';

/** Connecting, closing, and what is refused in between. */
export function testLifecycle({ it, create }: StoreSuite): void {
  it('refuses every verb before connect() and after close()', async () => {
    const store = await create({ key: 'k' });
    const verbs = [
      () => store.query().toArray(),
      () => store.queryOne(),
      () => store.count(),
      () => store.distinct('a'),
      () => store.update({ k: 1 }),
      () => store.removeDocs({}),
      () => store.ensureIndex('a'),
      () => store.lastUpdated(),
      () => store.groupBy('a').next(),
    ];
    for (const verb of verbs) await rejects(verb, StoreNotConnectedError);
    await store.connect();
    await store.close();
    for (const verb of verbs) await rejects(verb, StoreNotConnectedError);
  });

  it('can be connected, closed and connected again, any number of times', async () => {
    const store = await create({ key: 'k' });
    await store.close();
    await Promise.all([store.connect(), store.connect()]);
    await store.connect();
    equal(store.connected, true);
    await store.update({ k: 1 });
    await Promise.all([store.close(), store.close()]);
    equal(store.connected, false);
    await store.connect();
    equal(await store.count({}), 1);
    await store.close();
  });

  it('carries out overlapping connect() and close() in their order', async () => {
    const store = await create({ key: 'k' });
    await Promise.all([store.connect(), store.close(), store.connect()]);
    equal(store.connected, true);
    await store.close();
  });

  it('has a name, and an identity that another store does not share', async () => {
    const [one, other] = [await create(), await create()];
    ok(one.name.length > 0);
    ok(one.identity !== other.identity);
  });
}
