import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Doc, ReporterOptions, Store } from '../../src/index.js';
import {
  Builder,
  CopyBuilder,
  MongoStore,
  ObjectId,
  Reporter,
  SerialProcessor,
  SQLiteStore,
} from '../../src/index.js';
import { Delivery } from '../../src/reporting/delivery.js';
import { Disk, PAGE, refusal } from '../fixtures/disk.js';
import { at, storeWith } from '../fixtures/stores.js';
import { essenceOf, Setting, until } from './support.js';

const numbers = (count: number): Doc[] =>
  Array.from({ length: count }, (_, k) => ({ k, last_updated: at(k) }));

/** Gives its items when it is told to. */
class SteppedBuilder extends Builder {
  #go = () => {};
  readonly #gone = new Promise<void>((resolve) => {
    this.#go = resolve;
  });

  /** Gives the second half. */
  go(): void {
    this.#go();
  }

  async *getItems() {
    this.total = 4;
    yield { k: 0 };
    yield { k: 1 };
    await this.#gone;
    yield { k: 2 };
    yield { k: 3 };
  }

  async updateTargets() {}
}

const stepped = async () =>
  new SteppedBuilder(await storeWith([]), await storeWith([]), { chunkSize: 1 });

async function report(store: Store, options: ReporterOptions, builder?: Builder): Promise<void> {
  const reporter = new Reporter(store, options);
  const processor = new SerialProcessor();
  reporter.follow(processor);
  const built = builder ?? new CopyBuilder(await storeWith(numbers(3)), await storeWith([]));
  expect((await processor.run(built)).status).toBe('succeeded');
  await reporter.close();
}

/** A store that can be opened as soon as its folder is there. */
function lostStore(setting: Setting): { store: SQLiteStore; folder: string; mend(): void } {
  const folder = path.join(setting.folder, 'later');
  const store = new SQLiteStore(path.join(folder, 'builds.db'), 'builds', { key: '_id' });
  return { store, folder, mend: () => void mkdirSync(folder) };
}

describe('a store that cannot be reached', () => {
  test('stops no build; what happened is written when it can be, in the same run', async () => {
    using setting = new Setting();
    const { store, mend } = lostStore(setting);
    const { spoolFolder } = setting;
    const reporter = new Reporter(store, { spoolFolder, updateIntervalMs: 0 });
    const processor = new SerialProcessor();
    reporter.follow(processor);
    const builder = await stepped();
    const running = processor.run(builder);
    await until('the spool', () => setting.spooled.length === 3);
    mend();
    await until('the store', async () => store.connected && (await store.count()) === 3);
    expect(setting.spools, 'the spool is empty').toEqual([]);
    builder.go();
    expect((await running).succeeded).toBe(4);
    await reporter.close();
    const events = ['BUILD_STARTED', ...Array(4).fill('UPDATE 1'), 'BUILD_ENDED succeeded'];
    expect(await essenceOf(store)).toEqual(events);
    await store.close();
    expect(setting.said).toEqual([
      expect.stringMatching(
        /^warning: Cannot connect sqlite:.*; the build goes on, its events are kept in .*spool/,
      ),
      expect.stringMatching(/^info: sqlite:.* takes events again$/),
    ]);
  });

  test('gets what happened from the next Reporter, before its own events', async () => {
    using setting = new Setting();
    const { store, mend } = lostStore(setting);
    const options = { spoolFolder: setting.spoolFolder };
    await report(store, options);
    await report(store, options);
    expect(setting.spools).toHaveLength(2);
    expect(setting.complaints).toHaveLength(2);
    mend();
    await report(store, options);
    const build = ['BUILD_STARTED', 'UPDATE 3', 'BUILD_ENDED succeeded'];
    expect(await essenceOf(store)).toEqual([...build, ...build, ...build]);
    await store.close();
    expect(setting.spools).toEqual([]);
  });

  test('costs the line that was torn when a process died, and that is said', async () => {
    using setting = new Setting();
    const { store, mend } = lostStore(setting);
    const options = { spoolFolder: setting.spoolFolder };
    await report(store, options);
    const [file = ''] = setting.spools;
    appendFileSync(file, '{"_id":{"$oid');
    mend();
    await report(store, options);
    expect(await essenceOf(store)).toHaveLength(6);
    await store.close();
    expect(setting.complaints.at(-1)).toMatch(/^warning: 1 line of .*\.jsonl cannot be read/);
  });

  test('finds the events of one build in their order, whatever was written before', async () => {
    using setting = new Setting();
    const { store, folder, mend } = lostStore(setting);
    mend();
    const { spoolFolder } = setting;
    const reporter = new Reporter(store, { spoolFolder, updateIntervalMs: 0, heartbeatMs: 500 });
    const processor = new SerialProcessor();
    reporter.follow(processor);
    const builder = await stepped();
    const running = processor.run(builder);
    await until('the first events', async () => store.connected && (await store.count()) === 3);
    // Closed under its feet, and gone: the next write finds no folder.
    await store.close();
    rmSync(folder, { recursive: true });
    await until('the spool', () => setting.spooled.length > 0);
    builder.go();
    await running;
    await until('the end', () => setting.spooled.some(({ event }) => event === 'BUILD_ENDED'));
    const spooled = setting.spooled.map(({ event }) => event);
    expect(spooled.at(-1)).toBe('BUILD_ENDED');
    expect(spooled.filter((event) => event === 'UPDATE')).toHaveLength(2);
    mend();
    await reporter.close();
    expect(await essenceOf(store)).toEqual([
      'BUILD_STARTED',
      'UPDATE 1',
      'UPDATE 1',
      'BUILD_ENDED succeeded',
    ]);
    const start = await store.queryOne({ event: 'BUILD_STARTED' });
    expect(start?.['heartbeat'].getTime()).toBeGreaterThan(start?.['last_updated'].getTime());
    await store.close();
  });
});

describe('a spool that takes nothing', () => {
  /** A file stands where the folder should be. */
  function blocked(setting: Setting): ReporterOptions {
    const spoolFolder = path.join(setting.folder, 'file', 'spool');
    writeFileSync(path.join(setting.folder, 'file'), '');
    return { spoolFolder };
  }

  test('leaves the events in memory until the store takes them', async () => {
    using setting = new Setting();
    const { store, mend } = lostStore(setting);
    const reporter = new Reporter(store, blocked(setting));
    const processor = new SerialProcessor();
    reporter.follow(processor);
    const builder = await stepped();
    const running = processor.run(builder);
    await until('the complaints', () => setting.complaints.length === 2);
    builder.go();
    await running;
    mend();
    await reporter.close();
    expect((await essenceOf(store)).at(-1)).toBe('BUILD_ENDED succeeded');
    await store.close();
    expect(setting.complaints).toEqual([
      expect.stringMatching(/^warning: The spool cannot be used, .*(?:ENOTDIR|not a directory)/),
      expect.stringMatching(/^warning: Cannot connect sqlite:/),
    ]);
  });

  test('and a store that takes nothing lose the events, which is an error that counts them', async () => {
    using setting = new Setting();
    const { store } = lostStore(setting);
    await report(store, blocked(setting));
    expect(setting.complaints.at(-1)).toMatch(/^error: 3 events are lost, not written to sqlite:/);
  });
});

test('of many events that nobody takes the newest are kept, and the others counted', async () => {
  using setting = new Setting();
  const { store, mend } = lostStore(setting);
  writeFileSync(setting.spoolFolder, '');
  const delivery = new Delivery(store, setting.spoolFolder);
  for (let v = 0; v < 10_005; v++) delivery.add({ _id: new ObjectId(), v });
  await until('the complaints', () => setting.complaints.length === 2);
  mend();
  await delivery.close(20_000);
  await store.connect();
  expect(await store.count()).toBe(10_000);
  expect((await store.queryOne({}, { sort: { v: 1 } }))?.['v']).toBe(5);
  await store.close();
  expect(setting.complaints.at(-1)).toMatch(/^error: 5 events are lost, not written to sqlite:/);
});

test.skipIf(refusal !== undefined)(
  'on a full disk events wait in memory, and what the spool has is whole',
  async () => {
    using setting = new Setting();
    using disk = new Disk();
    const { store, mend } = lostStore(setting);
    const spoolFolder = path.join(disk.path, 'spool');
    const delivery = new Delivery(store, spoolFolder);
    const event = (v: number): Doc => ({ _id: new ObjectId(), v, text: 'x'.repeat(1000) });
    delivery.add(event(0));
    await until('the spool', () => disk.files.length > 0);
    disk.fill(2 * PAGE);
    for (let v = 1; v < 50; v++) delivery.add(event(v));
    expect(setting.complaints.at(-1)).toMatch(/^warning: The spool cannot be used, .*no space/i);
    const [folder = ''] = readdirSync(spoolFolder);
    const [file = ''] = readdirSync(path.join(spoolFolder, folder));
    const lines = readFileSync(path.join(spoolFolder, folder, file), 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    const kept = lines.map((line) => (JSON.parse(line) as Doc)['v']);
    expect(kept).toEqual(kept.map((_, i) => i));
    expect(kept.length).toBeLessThan(50);
    mend();
    await delivery.close(20_000);
    await store.connect();
    const found = await store.query({}, { sort: { _id: 1 } }).toArray();
    expect(found.map(({ v }) => v)).toEqual(Array.from({ length: 50 }, (_, v) => v));
    await store.close();
    expect(setting.complaints.some((line) => line.startsWith('error'))).toBe(false);
  },
);

test('a store that never answers holds neither the build nor close()', async () => {
  using setting = new Setting();
  // It takes connections, and says nothing.
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const store = new MongoStore('db', 'builds', {
    host: '127.0.0.1',
    port,
    mongoclientKwargs: { serverSelectionTimeoutMS: 20_000, directConnection: true },
  });
  const { spoolFolder } = setting;
  const started = performance.now();
  await report(store, { spoolFolder, closeTimeoutMs: 300 });
  expect(performance.now() - started).toBeLessThan(5000);
  expect(setting.spooled.map(({ event }) => event)).toEqual([
    'BUILD_STARTED',
    'UPDATE',
    'BUILD_ENDED',
  ]);
  expect(setting.complaints).toEqual([
    expect.stringMatching(/^warning: Cannot update on mongo:.* no answer within 0\.3 s; the build/),
  ]);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('a Reporter can be used again after close()', async () => {
  using setting = new Setting();
  const { store, mend } = lostStore(setting);
  mend();
  const reporter = new Reporter(store, { spoolFolder: setting.spoolFolder });
  for (let round = 1; round <= 2; round++) {
    const processor = new SerialProcessor();
    reporter.follow(processor);
    await processor.run(new CopyBuilder(await storeWith(numbers(3)), await storeWith([])));
    await reporter.close();
    await reporter.close();
    expect(store.connected).toBe(false);
    expect(await essenceOf(store)).toHaveLength(3 * round);
    await store.close();
  }
  expect(setting.said).toEqual([]);
});

test('nothing is written for a Reporter that heard of nothing', async () => {
  using setting = new Setting();
  const { store } = lostStore(setting);
  await using reporter = new Reporter(store, { spoolFolder: setting.spoolFolder });
  reporter.follow(new SerialProcessor());
  await setTimeout(0);
  await reporter.close();
  expect(setting.spools).toEqual([]);
  expect(setting.said).toEqual([]);
});

test('what the spool holds is extended JSON, one event a line', async () => {
  using setting = new Setting();
  const { store } = lostStore(setting);
  await report(store, { spoolFolder: setting.spoolFolder });
  const [file = ''] = setting.spools;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { _id: { $oid: expect.any(String) }, event: 'BUILD_STARTED', total: 3 },
    { event: 'UPDATE', last_updated: { $date: expect.any(String) } },
    { event: 'BUILD_ENDED', processed: 3 },
  ]);
});
