import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Doc, RecordedBuild, Store } from '../../src/index.js';
import {
  CopyBuilder,
  InvalidOptionError,
  MapBuilder,
  MemoryStore,
  ObjectId,
  Reporter,
  readBuilds,
  SerialProcessor,
  SQLiteStore,
} from '../../src/index.js';
import { machineId, pidScope } from '../../src/util/machine.js';
import { at, storeWith } from '../fixtures/stores.js';
import { Setting, until } from './support.js';

const RUN = fileURLToPath(new URL('../fixtures/reported-run.mjs', import.meta.url));

async function buildsIn(store: Store, limit?: number): Promise<RecordedBuild[]> {
  const builds: RecordedBuild[] = [];
  for await (const build of readBuilds(store, limit === undefined ? {} : { limit }))
    builds.push(build);
  return builds;
}

async function withDocs(...docs: readonly Doc[]): Promise<MemoryStore> {
  const store = new MemoryStore({ key: '_id' });
  await store.connect();
  await store.update(docs.map((doc) => ({ _id: new ObjectId(), ...doc })));
  return store;
}

const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

/** What a Reporter writes at the start of a build. */
const started = (id: string, others: Doc = {}): Doc => ({
  event: 'BUILD_STARTED',
  builder: 'B',
  build_id: id,
  machine: 'm',
  last_updated: ago(100),
  ...{ total: 100, sources: ['s'], targets: ['t'], processed: 0, failed: 0 },
  ...{ heartbeat: ago(1), heartbeat_ms: 10_000, pid: process.pid, pid_scope: pidScope() },
  ...others,
});

const DEAD_PID = 2 ** 22 + 1;

describe('a build that ended', () => {
  test('is told with its counts, rate, times and error', async () => {
    using setting = new Setting();
    const store = new MemoryStore();
    await store.connect();
    class PickyBuilder extends MapBuilder {
      unaryFunction({ k }: Doc) {
        if (k === 3) throw new RangeError('not 3');
        return k === 4 ? null : {};
      }
    }
    const source = await storeWith([1, 2, 3, 4, 5].map((k) => ({ k, last_updated: at(k) })));
    const lost = new SQLiteStore('/no-such-folder/x.db', 'x', { key: 'k' });
    const reporter = new Reporter(store, { spoolFolder: setting.spoolFolder });
    const processor = new SerialProcessor();
    reporter.follow(processor);
    await processor.runAll([new PickyBuilder(source, await storeWith([]))]);
    await processor.runAll([new CopyBuilder(lost, await storeWith([]))]);
    await reporter.close();
    const [second, first] = await buildsIn(store);
    expect(first).toMatchObject({
      builder: 'PickyBuilder',
      machine: machineId(),
      sources: [source.name],
      state: 'ended',
      status: 'succeeded',
      ...{ total: 5, processed: 5, succeeded: 3, failed: 1, skipped: 1, invalid: 0 },
      ...{ errors: 1, warnings: 0, remainingMs: null, error: null },
    });
    expect(first?.itemsPerSecond).toBeGreaterThan(0);
    expect(first?.endedAt?.getTime()).toBeGreaterThanOrEqual(
      first?.startedAt.getTime() ?? Infinity,
    );
    expect(second).toMatchObject({
      builder: 'CopyBuilder',
      state: 'ended',
      status: 'failed',
      error: { name: 'StoreConnectionError', code: 'STORE_CONNECTION' },
    });
  });
});

describe('a build without an end', () => {
  test('runs, with a rate and a remaining time', async () => {
    const [build] = await buildsIn(
      await withDocs(started('a', { processed: 25, failed: 2, last_updated: ago(51) })),
    );
    expect(build).toMatchObject({ state: 'running', status: null, processed: 25, failed: 2 });
    expect(build?.itemsPerSecond).toBeCloseTo(0.5, 1);
    expect(build?.remainingMs).toBeCloseTo(150_000, -4);
  });

  test('has done what the sum of its updates says, when that is newer than its heartbeat', async () => {
    const update = (items: number, seconds: number) => ({
      ...{ event: 'UPDATE', build_id: 'a', items, last_updated: ago(seconds) },
    });
    const [build] = await buildsIn(
      await withDocs(
        started('a', { processed: 25, heartbeat: ago(9) }),
        update(20, 20),
        update(30, 2),
      ),
    );
    expect(build?.processed).toBe(50);
    expect(build?.seenAt.getTime()).toBeGreaterThan(ago(4).getTime());
  });

  test.each([
    ['its process is gone', { pid: DEAD_PID }, 'dead'],
    ['its process lives', {}, 'running'],
    ['an equal pid is gone elsewhere', { pid: DEAD_PID, pid_scope: 'elsewhere' }, 'running'],
    ['it missed two heartbeats', { pid_scope: 'elsewhere', heartbeat: ago(25) }, 'running'],
    ['it missed three heartbeats', { pid_scope: 'elsewhere', heartbeat: ago(31) }, 'dead'],
    ['it missed three heartbeats, though there is a process', { heartbeat: ago(31) }, 'dead'],
  ])('when %s, is %s %s', async (_, others, state) => {
    const [build] = await buildsIn(await withDocs(started('a', others)));
    expect(build?.state).toBe(state);
    if (state === 'dead') expect(build?.remainingMs).toBeNull();
  });

  test('of a process that was killed is dead: at once here, within three heartbeats elsewhere', async () => {
    using setting = new Setting();
    const file = `${setting.folder}/builds.db`;
    const child = spawn(process.execPath, [RUN, file, setting.spoolFolder, '1000'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await using store = new SQLiteStore(file, 'builds', { key: '_id' });
    await store.connect();
    const state = async () => (await buildsIn(store))[0]?.state;
    const heartbeats = new Set<number>();
    await until('some heartbeats', async () => {
      const doc = await store.queryOne({ event: 'BUILD_STARTED' });
      if (doc !== null) heartbeats.add(doc['heartbeat'].getTime());
      return heartbeats.size > 2;
    });
    expect(await state()).toBe('running');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await state()).toBe('dead');
    const doc = (await store.queryOne({ event: 'BUILD_STARTED' })) ?? {};
    await store.update({ ...doc, pid_scope: 'elsewhere', heartbeat: new Date() });
    const since = performance.now();
    expect(await state()).toBe('running');
    await until('the death', async () => (await state()) === 'dead');
    expect(performance.now() - since).toBeLessThan(3 * 1000 + 5000);
  });
});

describe('builds that Python wrote', () => {
  test('are read: ended, or nobody knows', async () => {
    const file = new URL('../golden/reporting.json', import.meta.url);
    const { docs } = JSON.parse(readFileSync(file, 'utf8')) as {
      docs: Record<string, { type: string; repr: string }>[];
    };
    const toValue = (name: string, { type, repr }: { type: string; repr: string }): unknown => {
      if (name === '_id') return new ObjectId();
      if (type === 'datetime.datetime') return new Date(Date.UTC(2024, 1, 2));
      if (repr === '<varies>') return 'x';
      return JSON.parse(repr.replaceAll("'", '"'));
    };
    const python = docs.map((doc) =>
      Object.fromEntries(Object.entries(doc).map(([name, value]) => [name, toValue(name, value)])),
    );
    const [ended] = await buildsIn(await withDocs(...python));
    expect(ended).toEqual({
      ...{ buildId: 'x', builder: 'CopyBuilder', machine: 'x' },
      ...{ sources: ['mem://ra'], targets: ['mem://rb'] },
      ...{ state: 'ended', status: null, total: 3, processed: 3 },
      ...{ succeeded: null, failed: null, skipped: null, invalid: null, errors: 0, warnings: 0 },
      ...{ startedAt: new Date(Date.UTC(2024, 1, 2)), endedAt: new Date(Date.UTC(2024, 1, 2)) },
      ...{ seenAt: new Date(Date.UTC(2024, 1, 2)), durationMs: 0 },
      ...{ itemsPerSecond: null, remainingMs: null, error: null },
    });
    const [unknown] = await buildsIn(await withDocs(...python.slice(0, 2)));
    expect(unknown).toMatchObject({ state: 'unknown', status: null, processed: 2, endedAt: null });
  });
});

describe('many builds', () => {
  const many = (count: number): Doc[] =>
    Array.from({ length: count }, (_, i) => [
      started(`${i}`, { last_updated: new Date(1e12 + i * 1000) }),
      { event: 'UPDATE', build_id: `${i}`, items: 3, last_updated: new Date(1e12 + i * 1000) },
      {
        ...{ event: 'BUILD_ENDED', build_id: `${i}`, last_updated: new Date(1e12 + i * 1000 + 10) },
        ...{ status: 'succeeded', processed: 3, duration_ms: 10, succeeded: 3 },
      },
    ]).flat();

  test('are read newest first, as many as asked for', async () => {
    const store = await withDocs(...many(500));
    const ids = async (limit?: number) =>
      (await buildsIn(store, limit)).map(({ buildId }) => buildId);
    expect(await ids()).toEqual(Array.from({ length: 20 }, (_, i) => `${499 - i}`));
    expect(await ids(3)).toEqual(['499', '498', '497']);
    expect(await ids(0)).toEqual(Array.from({ length: 500 }, (_, i) => `${499 - i}`));
    for (const { state } of await buildsIn(store, 0)) expect(state).toBe('ended');
  });

  test('are read as they are taken', async () => {
    const store = await withDocs(...many(500));
    for await (const { buildId } of readBuilds(store, { limit: 0 })) {
      expect(buildId).toBe('499');
      break;
    }
  });

  test('none are none', async () => {
    expect(await buildsIn(await withDocs())).toEqual([]);
  });

  test('a limit that is none is refused', async () => {
    await expect(buildsIn(await withDocs(), -1)).rejects.toThrow(InvalidOptionError);
  });
});
