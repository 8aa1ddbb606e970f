// A server, and the network before it, which no other store has.
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Doc, MongoStore } from '../../src/index.js';
import { Builder, Reporter, readBuilds, SerialProcessor } from '../../src/index.js';
import { storeWith } from '../fixtures/stores.js';
import { CuttingProxy } from '../store/mongo/proxy.js';
import { describeMongo, mongoStore, serverOptions, uniqueDatabase } from '../store/mongo/server.js';
import { Setting, until } from './support.js';

const ITEMS = 120;

/** Gives the second half of its items when it is told to. */
class GatedBuilder extends Builder {
  go = () => {};
  readonly #gate = new Promise<void>((resolve) => {
    this.go = resolve;
  });

  async *getItems() {
    this.total = ITEMS;
    for (let k = 0; k < ITEMS; k++) {
      if (k === ITEMS / 2) await this.#gate;
      yield { k };
    }
  }

  override async processItem(item: Doc) {
    await setTimeout(10);
    return item;
  }

  async updateTargets() {}
}

describeMongo('a reporting store on a server', () => {
  const database = uniqueDatabase();
  let number = 0;
  let name = '';
  let proxy: CuttingProxy;
  let setting: Setting;

  const restart = async (port = 0) => {
    const { host, port: target } = serverOptions();
    proxy = await CuttingProxy.to(host, target, port);
  };
  const behindProxy = (port: number) =>
    mongoStore(database, name, {
      host: '127.0.0.1',
      port,
      mongoclientKwargs: {
        serverSelectionTimeoutMS: 500,
        heartbeatFrequencyMS: 500,
        directConnection: true,
      },
    });
  const gatedBuilder = async () =>
    new GatedBuilder(await storeWith([]), await storeWith([]), { chunkSize: 1 });

  async function direct<R>(read: (store: MongoStore) => Promise<R>): Promise<R> {
    await using store = mongoStore(database, name);
    await store.connect();
    return await read(store);
  }

  const eventsNow = () =>
    direct((store) => store.query({}, { sort: { last_updated: 1, _id: 1 } }).toArray());

  function expectBuild(events: readonly Doc[]): void {
    const [first, ...others] = events.map(({ event }) => event);
    expect([first, others.at(-1)]).toEqual(['BUILD_STARTED', 'BUILD_ENDED']);
    const updates = events.filter(({ event }) => event === 'UPDATE');
    expect(updates).toHaveLength(events.length - 2);
    expect(updates.reduce((sum, { items }) => sum + items, 0)).toBe(ITEMS);
  }

  beforeEach(async () => {
    name = `reports_${++number}`;
    setting = new Setting();
    await restart();
  });
  afterEach(async () => {
    setting[Symbol.dispose]();
    await proxy[Symbol.asyncDispose]();
  });

  test('that is killed in the middle of a build gets the rest when it is there again', async () => {
    const { port } = proxy;
    const store = behindProxy(port);
    const reporter = new Reporter(store, {
      spoolFolder: setting.spoolFolder,
      updateIntervalMs: 50,
      heartbeatMs: 100,
    });
    const processor = new SerialProcessor();
    reporter.follow(processor);
    const builder = await gatedBuilder();
    const running = processor.run(builder);
    await until('the first events', async () => (await eventsNow()).length > 3);
    await proxy[Symbol.asyncDispose]();
    await until('the spool', () => setting.spooled.length > 0);
    const before = await eventsNow();
    builder.go();
    const report = await running;
    expect([report.status, report.succeeded]).toEqual(['succeeded', ITEMS]);
    await until('the end', () => setting.spooled.some(({ event }) => event === 'BUILD_ENDED'));
    expect(await eventsNow(), 'nothing arrived meanwhile').toEqual(before);
    await restart(port);
    await until(
      'the delivery',
      async () => (await eventsNow()).at(-1)?.['event'] === 'BUILD_ENDED',
    );
    await reporter.close();
    expectBuild(await eventsNow());
    expect(setting.spools).toEqual([]);
    expect(setting.complaints).toHaveLength(1);
    expect(setting.complaints[0]).toMatch(/^warning: .*the build goes on/);
  });

  test('that stays away gets everything from the next run', async () => {
    const { port } = proxy;
    const { spoolFolder } = setting;
    const options = { spoolFolder, updateIntervalMs: 50, closeTimeoutMs: 1000 };
    const run = async (duringBuild?: () => Promise<void>) => {
      const reporter = new Reporter(behindProxy(port), options);
      const processor = new SerialProcessor();
      reporter.follow(processor);
      const builder = await gatedBuilder();
      const running = processor.run(builder);
      await duringBuild?.();
      builder.go();
      expect((await running).status).toBe('succeeded');
      const since = performance.now();
      await reporter.close();
      return performance.now() - since;
    };
    const closing = await run(async () => {
      await until('the first events', async () => (await eventsNow()).length > 3);
      await proxy[Symbol.asyncDispose]();
    });
    expect(closing).toBeLessThan(4000);
    expect(setting.spooled.at(-1)?.['event']).toBe('BUILD_ENDED');
    await restart(port);
    await run();
    const events = await eventsNow();
    const ids = [...new Set(events.map(({ build_id }) => build_id))];
    expect(ids).toHaveLength(2);
    for (const id of ids) expectBuild(events.filter(({ build_id }) => build_id === id));
    expect(setting.spools).toEqual([]);
    const builds = await direct(async (store) => {
      const found: unknown[] = [];
      for await (const { state, processed } of readBuilds(store)) found.push([state, processed]);
      return found;
    });
    expect(builds).toEqual([
      ['ended', ITEMS],
      ['ended', ITEMS],
    ]);
  });

  test('whose connection is cut in the middle of a message gets each event once', async () => {
    const reporter = new Reporter(behindProxy(proxy.port), {
      spoolFolder: setting.spoolFolder,
      updateIntervalMs: 0,
    });
    const processor = new SerialProcessor();
    reporter.follow(processor);
    const builder = await gatedBuilder();
    const running = processor.run(builder);
    for (let cut = 1; cut <= 3; cut++) {
      proxy.cutAfter(150);
      await until(`cut ${cut}`, () => proxy.cuts >= cut);
    }
    builder.go();
    await running;
    await reporter.close();
    const events = await eventsNow();
    expectBuild(events);
    expect(events).toHaveLength(ITEMS + 2);
  });
});
