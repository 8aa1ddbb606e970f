import { EventEmitter } from 'eventemitter3';
import type { AnyBuilder, BuildFailedError, BuildReport } from 'maggma';
import { SerialProcessor } from 'maggma';
import { expect, test } from 'vitest';
import { testProcessor } from '../../src/testing/index.js';
import type { Broken } from './broken-processors.js';
import {
  withBuilder,
  withEvents,
  withItems,
  withMethods,
  withOptions,
  withResults,
} from './broken-processors.js';

/** Collects the tests of the suite. */
function testsFor(create: Broken, deadlineMs?: number): Map<string, () => void | Promise<void>> {
  const tests = new Map<string, () => void | Promise<void>>();
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it: (name: string, body: () => void | Promise<void>) => {
      expect(tests.has(name), `two tests are named "${name}"`).toBe(false);
      tests.set(name, body);
    },
  };
  testProcessor(runner, { name: 'broken', create, ...(deadlineMs && { deadlineMs }) });
  return tests;
}

const { run, runAll } = SerialProcessor.prototype;
const lastRuns = new WeakMap<AnyBuilder, Promise<unknown>>();

/** What is broken, and the test that must notice. */
const BREAKS: readonly (readonly [string, Broken, string])[] = [
  [
    'swallows ITEM_FAILED',
    withEvents((name, event, tell) => name !== 'ITEM_FAILED' && tell(name, event)),
    'announces each item that fails once, with its key, its cause and one attempt',
  ],
  [
    'announces the end twice',
    withEvents((name, event, tell) => {
      tell(name, event);
      if (name === 'BUILD_ENDED') tell(name, event);
    }),
    'announces the end with the counts, which count each item once',
  ],
  [
    'announces no end when it fails',
    withEvents((name, event, tell) => event['status'] !== 'failed' && tell(name, event)),
    'writes what the source gave before it failed',
  ],
  [
    'goes on after the end',
    withEvents((name, event, tell) => {
      tell(name, event);
      if (name === 'BUILD_ENDED') tell('UPDATE', { ...event, items: 0 });
    }),
    'announces a build without items, and gives each build an id of its own',
  ],
  [
    'announces no final progress',
    withEvents((name, event, tell) => event['written'] !== 300 && tell(name, event)),
    'announces the final progress',
  ],
  [
    'announces a write after it',
    withEvents((name, event, tell) => {
      if (name === 'UPDATE') setImmediate(() => tell(name, event));
      else tell(name, event);
    }),
    'announces each write, with its number of results, just before it',
  ],
  [
    'gives the events of a build different ids',
    withEvents((name, event, tell) => {
      tell(name, name === 'BUILD_STARTED' ? { ...event, buildId: 'another' } : event);
    }),
    'announces the start with the stores and the total',
  ],
  [
    'counts what failed as succeeded',
    withEvents((name, event, tell) => {
      const counts = { succeeded: event['succeeded'] + event['failed'], failed: 0 };
      tell(name, name === 'BUILD_ENDED' ? { ...event, ...counts } : event);
    }),
    'announces the end with the counts, which count each item once',
  ],
  [
    'lets a listener break a run',
    withMethods(() => ({ on: EventEmitter.prototype.on })),
    'goes on when listeners throw or reject, and tells the others',
  ],
  [
    'does not finalize',
    withBuilder({
      before: (builder) => {
        builder.finalize = async () => {};
      },
    }),
    'finishes and writes what is in flight after stop(), and takes no more',
  ],
  [
    'finalizes twice',
    withBuilder({ after: (builder) => builder.finalize({ status: 'succeeded' } as never) }),
    'ends when getItems throws',
  ],
  [
    'closes stores that were open',
    withBuilder({
      after: async (builder) => {
        for (const store of builder.stores()) await store.close();
      },
    }),
    'leaves stores open that were open, and closes the others',
  ],
  [
    'leaves stores open',
    withBuilder({
      after: async (builder) => {
        for (const store of builder.stores()) await store.connect();
      },
    }),
    'leaves stores open that were open, and closes the others',
  ],
  [
    'loses the last chunk',
    withResults((results, { chunkSize }) => (results.length < chunkSize ? [] : results)),
    'builds exactly what is to be built of a mix of items',
  ],
  [
    'writes each result by itself',
    withBuilder({
      before: (builder) => Object.defineProperty(builder, 'chunkSize', { value: 1 }),
    }),
    'hands updateTargets as many results as chunkSize says, and less only at the end',
  ],
  [
    'writes in another order',
    withResults((results) => [...results].reverse()),
    'writes the results of an ordered builder in the order of its items',
  ],
  [
    'sends items as JSON',
    withItems((item, processItem) => processItem(JSON.parse(JSON.stringify(item)))),
    'brings values of all types to processItem and from there to the target',
  ],
  [
    'takes documents only',
    withItems((item, processItem) => processItem({ ...(item as object) })),
    'takes items and results that are no documents',
  ],
  [
    'writes what was skipped',
    withItems((item, processItem) => processItem(item) ?? item),
    'writes nothing for items for which processItem returns null or undefined',
  ],
  [
    'forgets what was thrown',
    withItems((item, processItem) => {
      try {
        return processItem(item);
      } catch {
        throw new Error('an item failed');
      }
    }),
    'says what was thrown, with its stack and its cause',
  ],
  [
    'knows no time limit',
    withBuilder({
      before: (builder) => {
        builder.itemTimeoutMs = () => null;
      },
    }),
    'ends an item that awaits for too long, and builds the others',
  ],
  [
    'counts nothing that is logged',
    withBuilder({
      before: (builder) => {
        builder.logger.error = () => {};
      },
    }),
    'counts what the builder logs, wherever it does',
  ],
  [
    'ignores failFast',
    withOptions((options) => ({ ...options, failFast: false })),
    'with failFast ends a build when an item fails, and writes what is built',
  ],
  [
    'ends at the last failure that is tolerated',
    withOptions(({ maxFailures = 1, ...rest }) => ({ ...rest, maxFailures: maxFailures - 1 })),
    'announces the end with the counts, which count each item once',
  ],
  [
    'tries nothing again',
    withOptions((options) => ({ ...options, retry: undefined })),
    'tries again what is worth it, and records only what fails in the end, once',
  ],
  [
    'tries everything again',
    withOptions((options) => ({ ...options, retry: { ...options.retry, on: () => true } })),
    'tries again what is worth it, and records only what fails in the end, once',
  ],
  [
    'never ends for a signal',
    withMethods((processor) => ({ run: (builder: AnyBuilder) => run.call(processor, builder) })),
    'ends at once when the signal fires, also while an item and the source hang',
  ],
  [
    'waits for the target when the signal fires',
    withMethods((processor) => ({ run: (builder: AnyBuilder) => run.call(processor, builder) })),
    'ends at once when the signal fires while the target hangs',
  ],
  [
    'ignores a signal that fired before',
    withMethods((processor) => ({ run: (builder: AnyBuilder) => run.call(processor, builder) })),
    'starts nothing when the signal fired before',
  ],
  [
    'cannot be stopped',
    withMethods(() => ({ stop: () => {} })),
    'finishes and writes what is in flight after stop(), and takes no more',
  ],
  [
    'takes a failure of the target for none',
    withBuilder({
      before: (builder) => {
        const { updateTargets } = Object.getPrototypeOf(builder);
        builder.updateTargets = (results: readonly unknown[]) =>
          updateTargets.call(builder, results).catch(() => undefined);
      },
    }),
    'counts nothing that the target did not take',
  ],
  [
    'takes a failure of finalize for none',
    withBuilder({
      before: (builder) => {
        const { finalize } = Object.getPrototypeOf(builder);
        builder.finalize = (context) => finalize.call(builder, context).catch(() => undefined);
      },
    }),
    'fails when finalize throws, and what is built stays',
  ],
  [
    'runs what reads from a failed build',
    withMethods((processor) => ({
      runAll: async (builders: readonly AnyBuilder[]) => {
        const reports: BuildReport[] = [];
        for (const builder of builders)
          reports.push(
            await processor.run(builder).catch((error: BuildFailedError) => error.report),
          );
        return reports;
      },
    })),
    'skips what reads what a failed build writes, one after the other, and nothing else',
  ],
  [
    'runs nothing at the same time',
    withMethods((processor) => ({
      runAll: (builders: readonly AnyBuilder[]) => runAll.call(processor, builders),
    })),
    'runs builders that share no store at the same time when asked',
  ],
  [
    'runs everything at the same time',
    withMethods((processor) => ({
      runAll: (builders: readonly AnyBuilder[]) =>
        Promise.all(builders.map((builder) => processor.run(builder))),
    })),
    'runs builders that share a store one after the other, also when asked for parallel runs',
  ],
  [
    'runs builders in another order',
    withMethods((processor) => ({
      runAll: async (builders: readonly AnyBuilder[]) =>
        (await runAll.call(processor, [...builders].reverse())).reverse(),
    })),
    'runs builders one after the other, in their order',
  ],
  [
    'does not stop between builders',
    withMethods((processor) => ({
      runAll: (builders: readonly AnyBuilder[]) =>
        Promise.all(builders.map((builder) => runAll.call(processor, [builder]))).then((reports) =>
          reports.flat(),
        ),
    })),
    'starts no builder after stop(), nor after the signal',
  ],
  [
    'ends several builders for one that is running',
    withMethods((processor) => ({
      runAll: (builders: readonly AnyBuilder[]) =>
        Promise.all(builders.map((builder) => processor.run(builder))),
    })),
    'reports a builder of several that is running as failed, and runs the others',
  ],
  [
    'forgets that it was stopped',
    withMethods(() => ({ stop: () => {} })),
    'stays stopped when another run is started meanwhile',
  ],
  [
    'waits for a builder that is running',
    withMethods((processor) => ({
      run: (builder: AnyBuilder) => {
        const before = lastRuns.get(builder) ?? Promise.resolve();
        const running = before.then(() => run.call(processor, builder));
        lastRuns.set(builder, running);
        return running;
      },
    })),
    'refuses a builder that is running',
  ],
];

test('the suite passes on a processor that is right', async () => {
  const failed: unknown[] = [];
  for (const [name, body] of testsFor((options) => new SerialProcessor(options)))
    try {
      await body();
    } catch (error) {
      failed.push([name, error]);
    }
  expect(failed).toEqual([]);
});

test.each(BREAKS)('the suite fails for a processor that %s', async (_, broken, caughtBy) => {
  const caught = testsFor(broken, 1500).get(caughtBy);
  expect(caught, `there is no test "${caughtBy}"`).toBeDefined();
  await expect(async () => caught?.()).rejects.toThrow();
});
