import { hostname } from 'node:os';
import { configureSync, resetSync } from '@logtape/logtape';
import type { BuildReport, Doc, MemoryStore } from 'maggma';
import { CopyBuilder, SerialProcessor, TargetBusyError } from 'maggma';
import { describe, expect, test, vi } from 'vitest';
import type { Claim, ClaimBoard } from '../../src/store/claim-board.js';
import { pidScope } from '../../src/util/machine.js';
import { storeWith } from '../fixtures/stores.js';
import { Cluster, reportsOf } from './distributed/cluster.js';
import { until } from './distributed/support.js';

/** A builder that waits until it is told to go on. */
function waiting(source: MemoryStore, target: MemoryStore) {
  let goOn = () => {};
  let begun = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const isAtWork = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const builder = Object.assign(new CopyBuilder(source, target), {
    async unaryFunction(doc: Doc) {
      begun();
      await gate;
      return doc;
    },
  });
  return { builder, isAtWork, goOn: () => goOn() };
}

const LONG_AGO = '2020-01-01T00:00:00Z';
const GONE = { pid: 2 ** 22 + 1 };
const OLD = { pid: process.pid, since: LONG_AGO };

const claimOf = (store: MemoryStore) => store.claimBoard()?.read();

/** Collects what is logged, until LogTape is reset. */
function linesOf(lowestLevel: 'warning' | 'error'): () => string[] {
  const lines: string[] = [];
  configureSync({
    sinks: { lines: ({ message }) => lines.push(message.join('')) },
    loggers: [
      { category: 'maggma', lowestLevel, sinks: ['lines'] },
      { category: 'logtape', lowestLevel: 'warning', sinks: ['lines'] },
    ],
  });
  return () => lines;
}

describe('a target', () => {
  test('is left alone, also by finalize, while another build has it', async () => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    const { builder, isAtWork, goOn } = waiting(source, target);
    const first = new SerialProcessor().run(builder);
    await isAtWork;
    const finalize = vi.fn(async () => {});
    const second = Object.assign(new CopyBuilder(source, target), { finalize });
    await expect(new SerialProcessor().run(second)).rejects.toMatchObject({
      cause: expect.any(TargetBusyError),
    });
    expect(finalize).not.toHaveBeenCalled();
    goOn();
    await first;
    await new SerialProcessor().run(second);
    expect(finalize).toHaveBeenCalledOnce();
  });

  test('stays open, as the source does, until the last of two builds that opened it has ended', async () => {
    const stores = [await storeWith([{ k: 1 }]), await storeWith([])] as const;
    for (const store of stores) await store.close();
    const { builder, goOn } = waiting(...stores);
    const first = new SerialProcessor().run(builder);
    await expect(new SerialProcessor().run(new CopyBuilder(...stores))).rejects.toMatchObject({
      cause: expect.any(TargetBusyError),
    });
    expect(stores.map(({ connected }) => connected)).toEqual([true, true]);
    goOn();
    expect(await first).toMatchObject({ succeeded: 1 });
    expect(stores.map(({ connected }) => connected)).toEqual([false, false]);
  });

  test('is one build’s at a time, and free again when that is over', async () => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    const { builder, isAtWork, goOn } = waiting(source, target);
    const first = new SerialProcessor().run(builder);
    await isAtWork;
    expect(await claimOf(target)).toMatchObject({
      owner: 'CopyBuilder',
      host: hostname(),
      pid: process.pid,
    });
    const second = () => new SerialProcessor().run(new CopyBuilder(source, target));
    await expect(second()).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      cause: expect.any(TargetBusyError),
      message: expect.stringMatching(
        /mem:\/\/memory_db is being built by CopyBuilder, process \d+ on .*, for \d+ s: wait/,
      ),
      report: { status: 'failed', processed: 0 },
    });
    // Whoever says that it is theirs to say may.
    const without = new SerialProcessor({ targetLease: false });
    expect(await without.run(new CopyBuilder(source, target))).toMatchObject({ succeeded: 1 });
    goOn();
    expect(await first).toMatchObject({ status: 'succeeded' });
    expect(await claimOf(target)).toBeNull();
    expect(await second()).toMatchObject({ status: 'succeeded' });
  });

  test('is free again after a build that failed or was aborted', async () => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    const failing = Object.assign(new CopyBuilder(source, target), {
      updateTargets: () => Promise.reject(new RangeError('no')),
    });
    await expect(failing.run()).rejects.toThrow('no');
    expect(await claimOf(target)).toBeNull();
    const { builder, isAtWork } = waiting(source, target);
    const controller = new AbortController();
    const running = builder.run({ signal: controller.signal });
    await isAtWork;
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'BUILD_ABORTED' });
    expect(await claimOf(target)).toBeNull();
  });

  test.each<[string, Partial<Claim>, boolean]>([
    ['a process that is gone', GONE, true],
    ['a process that lives', { pid: process.ppid }, false],
    ['a process that had our number', OLD, true],
    ['ours, of a run that was cut off', { pid: process.pid, renewed: LONG_AGO }, true],
    ['a process that is gone in another container', { ...GONE, pidScope: 'other' }, false],
    ['our number in another container', { ...OLD, pidScope: 'other' }, false],
    ['somebody elsewhere who was not heard of for long', { renewed: LONG_AGO, pidScope: '' }, true],
  ])('of %s is taken over: %o %s', async (_, change, isTaken) => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    const now = new Date().toISOString();
    const known = { id: 'x', owner: 'B', host: hostname(), pid: 1, pidScope: pidScope() };
    const claim = { ...known, since: now, renewed: now, ...change };
    await target.claimBoard()?.swap(null, claim);
    const run = (targetLease: boolean | 'steal') =>
      new SerialProcessor({ targetLease }).run(new CopyBuilder(source, target));
    if (!isTaken) {
      await expect(run(true)).rejects.toThrow(/is being built by B/);
      expect(await claimOf(target)).toEqual(claim);
    }
    expect(await run(isTaken || 'steal')).toMatchObject({ succeeded: 1 });
    expect(await claimOf(target)).toBeNull();
  });

  test('that is taken over during a build is complained about once, and left to whom it is', async () => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    const said = linesOf('error');
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { builder, isAtWork, goOn } = waiting(source, target);
      const first = builder.run();
      await isAtWork;
      const before = (await claimOf(target)) as Claim;
      await vi.advanceTimersByTimeAsync(15_000);
      const renewed = (await claimOf(target)) as Claim;
      expect(renewed).toEqual({ ...before, renewed: expect.any(String) });
      expect(Date.parse(renewed.renewed)).toBeGreaterThan(Date.parse(before.renewed));
      expect(said()).toEqual([]);
      await target.claimBoard()?.swap(before.id, { ...before, id: 'other' });
      await vi.advanceTimersByTimeAsync(45_000);
      goOn();
      expect(await first).toMatchObject({ status: 'succeeded' });
    } finally {
      vi.useRealTimers();
      resetSync();
    }
    expect(await claimOf(target)).toMatchObject({ id: 'other' });
    expect(said()).toEqual([
      expect.stringMatching(/^mem:\/\/memory_db: somebody else took it over while it was built/),
    ]);
  });

  test('is not given up while it is being renewed', async () => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    const board = target.claimBoard() as ClaimBoard;
    let renew = () => {};
    const order: string[] = [];
    const slow: ClaimBoard = {
      read: () => board.read(),
      async swap(from, to) {
        order.push(from === null ? 'take' : to === null ? 'give up' : 'renew');
        if (from !== null && to !== null)
          await new Promise<void>((resolve) => {
            renew = resolve;
          });
        return board.swap(from, to);
      },
    };
    Object.assign(target, { claimBoard: () => slow });
    const said = linesOf('warning');
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { builder, isAtWork, goOn } = waiting(source, target);
      const running = builder.run();
      await isAtWork;
      await vi.advanceTimersByTimeAsync(60_000);
      goOn();
      // What hangs is not asked again, and the build waits for it.
      await until('the document is written', 30_000, async () => (await target.count()) === 1);
      renew();
      expect(await running).toMatchObject({ status: 'succeeded' });
    } finally {
      vi.useRealTimers();
      resetSync();
    }
    expect(order).toEqual(['take', 'renew', 'give up']);
    expect(said()).toEqual([]);
    expect(await board.read()).toBeNull();
  });

  test('that has no room for notes is built all the same, with a warning', async () => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    Object.assign(target, {
      claimBoard: () => ({ read: () => Promise.reject(new RangeError('not authorized')) }),
    });
    const said = linesOf('warning');
    try {
      expect(await new CopyBuilder(source, target).run()).toMatchObject({ succeeded: 1 });
    } finally {
      resetSync();
    }
    expect(said().join()).toMatch(/cannot be noted who writes into it: not authorized/);
  });
});

test('two processes and one target: the second is refused, until the first was killed', async () => {
  await using cluster = await Cluster.open();
  const docs = [...Array(400).keys()].map((k) => ({ k, a: k, ms: 50 }));
  await cluster.shop.store('a', docs);
  const first = cluster.run('serial', [['a', 'b']]);
  await until('the first is at work', 60_000, () => first.events('BUILD_STARTED').length === 1);
  const refused = async (mode: string, options: object = {}) => {
    const run =
      mode === 'distributed'
        ? cluster.manager([['a', 'b']], options)
        : cluster.run(mode, [['a', 'b']], options);
    return (await reportsOf(run))[0] as BuildReport;
  };
  const busy = { status: 'failed', error: { code: 'TARGET_BUSY' } };
  expect(await refused('serial')).toMatchObject(busy);
  expect(await refused('multi', { numWorkers: 1 })).toMatchObject(busy);
  expect(await refused('distributed', { numChunks: 1 })).toMatchObject(busy);
  expect(first.isOver).toBe(false);
  first.kill();
  await first.end();
  const next = cluster.run('serial', [['a', 'b', { query: { k: { $lt: 5 } } }]]);
  expect(await reportsOf(next)).toMatchObject([{ status: 'succeeded' }]);
  expect(next.logged.join('\n')).toMatch(/took over from DeedBuilder, process \d+/);
}, 180_000);
