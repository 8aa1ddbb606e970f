import { randomBytes } from 'node:crypto';
import type { BuildEvents } from 'maggma';
import { expect, test } from 'vitest';
import { BuildMonitor } from '../../../src/processor/build-monitor.js';
import { NO_RESULT } from '../../../src/processor/distributed/chunk-result.js';
import type { ManagerSession, StageOutcome } from '../../../src/processor/distributed/engine.js';
import { Sealer } from '../../../src/processor/distributed/seal.js';
import { StageProgress } from '../../../src/processor/distributed/stage-run.js';
import { StageWork } from '../../../src/processor/distributed/stage-work.js';
import { createLogger } from '../../../src/util/logger.js';
import { ChunkedMapBuilder } from '../../fixtures/chunked-builder.js';
import { until, Workshop } from './support.js';

const logger = createLogger('test');
const result = { ...NO_RESULT, processed: 2, succeeded: 2 };
const progress = { fetched: 2, processed: 1, written: 0, total: 2, failed: 0, failures: [] };

/** A stage whose engine is played by hand: what it says when is not up to any engine, which may say it late, or twice. */
async function stage(shop: Workshop) {
  const [source, target] = [await shop.store('a', [{ k: 1 }]), await shop.store('b')];
  const builder = new ChunkedMapBuilder(source, target);
  builder.logger.reset();
  const events: [string, object][] = [];
  const monitor = new BuildMonitor(builder, (name: keyof BuildEvents, event) =>
    events.push([name, event]),
  );
  const finished: unknown[] = [];
  let settle = (_: StageOutcome) => {};
  const session = {
    address: 'here',
    submit: async () => undefined,
    settle: (_: number, signal: AbortSignal) =>
      new Promise<StageOutcome>((resolve, reject) => {
        settle = resolve;
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
    finish: async (...call: unknown[]) => void finished.push(call),
    workers: async () => ({ count: 1, slots: 1 }),
  } as unknown as ManagerSession;
  const work = new StageWork(
    builder,
    monitor,
    { index: 2, header: '{}', planned: undefined },
    {
      ...{ session, run: 'r', sealer: new Sealer(randomBytes(32)), numChunks: 1, logger },
      stages: new StageProgress(session, 0, logger),
      policy: { attempts: 1, losses: 1, backoffMs: 0 },
      ...{ workerTimeoutMs: 60_000, retryDead: false, maxFailures: 10 },
    },
  );
  return { work, monitor, events, finished, settle: (outcome: StageOutcome) => settle(outcome) };
}

const started = (events: readonly [string, object][]) =>
  until('the build has begun', 5000, () => events.some(([name]) => name === 'BUILD_STARTED'));

test('events of other stages, and those that come late, change nothing', async () => {
  await using shop = new Workshop();
  const { work, monitor, events, finished, settle } = await stage(shop);
  const running = work.run();
  work.hear({ type: 'CHUNK_DONE', stage: 1, index: 0, result });
  work.hear({ type: 'CHUNK_UPDATE', stage: 1, index: 0, items: 7 });
  await started(events);
  expect(work.done).toBe(0);
  work.hear({ type: 'CHUNK_PROGRESS', stage: 2, index: 0, progress });
  // Begun again: progress does not go back.
  work.hear({ type: 'CHUNK_PROGRESS', stage: 2, index: 0, progress: { ...progress, fetched: 1 } });
  work.hear({ type: 'CHUNK_UPDATE', stage: 2, index: 0, items: 2 });
  settle({ completed: 1, dead: [], result });
  // Said before it was settled, heard after.
  work.hear({ type: 'CHUNK_DONE', stage: 2, index: 0, result });
  await running;
  work.hear({ type: 'CHUNK_UPDATE', stage: 2, index: 0, items: 2 });
  work.hear({ type: 'CHUNK_PROGRESS', stage: 2, index: 0, progress });
  const report = monitor.ended('succeeded');
  expect(report).toMatchObject({ processed: 2, succeeded: 2, failed: 0 });
  expect(work.done).toBe(1);
  expect(events.filter(([name]) => name === 'UPDATE')).toMatchObject([['UPDATE', { items: 2 }]]);
  expect(events.at(-2)).toMatchObject(['PROGRESS', { fetched: 2, processed: 2, written: 2 }]);
  expect(events.at(-1)).toMatchObject(['BUILD_ENDED', { processed: 2 }]);
  // The stages before were skipped, and the engine has to hear of that.
  expect(finished).toEqual([
    [0, ''],
    [1, ''],
  ]);
});

const failureOf = (key: unknown) => ({
  ...{ key, cause: 'error' as const, attempts: 1, durationMs: 1 },
  error: { name: 'RangeError', message: 'bad' },
});

test('items that failed are told when their chunk is done, and once', async () => {
  await using shop = new Workshop();
  const { work, monitor, events, settle } = await stage(shop);
  const running = work.run();
  await started(events);
  const failures = [failureOf('a'), failureOf('b')];
  const bad = { ...result, succeeded: 0, failed: 2, errors: 2, failures };
  // They may fail no more when the chunk is tried again.
  const failing = { ...progress, failed: 1, failures: [failureOf('c')] };
  work.hear({ type: 'CHUNK_PROGRESS', stage: 2, index: 0, progress: failing });
  work.hear({ type: 'CHUNK_DONE', stage: 2, index: 0, result: bad });
  const told = () => events.filter(([name]) => name === 'ITEM_FAILED');
  await until('the failures are told', 5000, () => told().length === 2);
  expect(told()).toMatchObject([
    ['ITEM_FAILED', { key: 'a' }],
    ['ITEM_FAILED', { key: 'b' }],
  ]);
  // Of another chunk nothing was heard.
  const all = { ...bad, processed: 4, failed: 3, errors: 3 };
  settle({ completed: 2, dead: [], result: { ...all, failures: [...failures, failureOf('d')] } });
  await running;
  const report = monitor.ended('succeeded');
  expect(report).toMatchObject({ processed: 4, failed: 3 });
  expect(report.failures.map(({ key }) => key)).toEqual(['a', 'b', 'd']);
});

test('too many failures end a build while their chunks are at work, and those that were tried again do not', async () => {
  await using shop = new Workshop();
  const { work, monitor, events } = await stage(shop);
  const running = work.run();
  await started(events);
  const failing = (index: number, failed: number) =>
    work.hear({
      ...{ type: 'CHUNK_PROGRESS', stage: 2, index },
      progress: { ...progress, failed, failures: [failureOf(`${index}.${failed}`)] },
    });
  failing(0, 6);
  const error = { name: 'E', message: 'gone' };
  work.hear({ type: 'CHUNK_RETRY', stage: 2, index: 0, error });
  failing(1, 5);
  work.hear({ type: 'CHUNK_LOST', stage: 2, index: 1, worker: 'w' });
  // That this one was tried again was not heard.
  failing(2, 9);
  failing(2, 1);
  failing(0, 9);
  await new Promise((resolve) => setImmediate(resolve));
  expect(monitor.failuresSeen).toBe(0);
  failing(1, 1);
  await expect(running).rejects.toThrow(/more than 10 items failed; the last one was '1.1': bad/);
  const report = monitor.ended('failed');
  expect(report).toMatchObject({ processed: 11, failed: 11 });
  expect(report.failures.map(({ key }) => key)).toEqual(['0.9', '1.1', '2.1']);
});

test('chunks that are given up are failures, whatever else is known of them', async () => {
  await using shop = new Workshop();
  const { work, monitor, events, settle } = await stage(shop);
  const running = work.run();
  await started(events);
  const failure = {
    ...{ key: { '@module': 'bson.objectid', '@class': 'ObjectId', oid: '5f'.repeat(12) } },
    ...{ cause: 'error' as const, attempts: 1, durationMs: 1 },
    error: { name: 'RangeError', message: 'bad' },
  };
  settle({
    completed: 1,
    dead: [{ index: 4, attempts: 3, losses: 1, error: { name: 'E', message: 'gone' } }],
    result: { ...result, processed: 3, failed: 1, errors: 3, warnings: 2, failures: [failure] },
  });
  await running;
  expect(work.isComplete).toBe(false);
  const report = monitor.ended('succeeded');
  expect(report).toMatchObject({ processed: 4, succeeded: 2, failed: 2, errors: 4, warnings: 2 });
  expect(report.failures).toMatchObject([
    { key: expect.objectContaining({ _bsontype: 'ObjectId' }), cause: 'error' },
    { key: 'chunk 4', cause: 'error', attempts: 4, error: { message: 'gone' } },
  ]);
});
