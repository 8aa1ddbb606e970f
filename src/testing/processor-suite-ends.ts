import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { BuildAbortedError, BuildFailedError } from '../builder/build-errors.js';
import type { Doc } from '../query/document.js';
import { countFrom, never, numbersThen } from './item-sources.js';
import { Meeting } from './meeting.js';
import type { Build, ProcessorSuite } from './processor-suite.js';
import { contents } from './store-contents.js';
import type { SuiteBuilder, SuiteParts } from './suite-builder.js';
import { built } from './suite-builder.js';

/** How a build ends when something other than an item fails, and when it is stopped. */
export function testEnds(suite: ProcessorSuite): void {
  const { it, build, builder: builderOf, within } = suite;
  const numbered = (n: number): Doc[] => Array.from({ length: n }, (_, k) => ({ k }));
  const breaks = (): Promise<never> => Promise.reject(broken);
  const broken = new RangeError('it broke');

  /** Runs a builder of ten items that fails in one of its parts. */
  const failing = async (parts: SuiteParts) => {
    const builder = await builderOf(numbered(10), { chunkSize: 4 }, parts);
    const came = await build(builder);
    assertFailed(came);
    return { ...came, builder };
  };
  const assertFailed = ({ error, report }: Build) => {
    ok(error instanceof BuildFailedError, String(error));
    equal(error.cause, broken);
    equal(report.status, 'failed');
    deepStrictEqual([report.error?.name, report.error?.message], ['RangeError', 'it broke']);
  };

  it('writes what the source gave before it failed', async () => {
    const { builder } = await failing({ getItems: () => numbersThen(6, breaks) });
    deepStrictEqual(await contents(builder.target), numbered(6).map(built));
    deepStrictEqual(builder.finalized, ['failed']);
  });

  it('ends when getItems throws', async () => {
    const { builder, record } = await failing({
      getItems: () => {
        throw broken;
      },
    });
    deepStrictEqual(record.names, ['BUILD_STARTED', 'BUILD_ENDED']);
    deepStrictEqual(builder.finalized, ['failed']);
  });

  it('counts nothing that the target did not take', async () => {
    const builder: SuiteBuilder = await builderOf(
      [],
      { chunkSize: 4 },
      {
        getItems: () => countFrom(0, builder),
        updateTargets: (docs) =>
          builder.written.length === 2 ? breaks() : builder.target.update(docs as Doc[]),
      },
    );
    const came = await build(builder);
    assertFailed(came);
    equal(came.report.succeeded, 8);
    equal((await contents(builder.target)).length, 8);
    deepStrictEqual(builder.finalized, ['failed']);
  });

  it('fails when finalize throws, and what is built stays', async () => {
    const { builder } = await failing({ finalize: breaks });
    deepStrictEqual(builder.finalized, ['succeeded']);
    deepStrictEqual(await contents(builder.target), numbered(10).map(built));
  });

  it('fails when connect throws, closes what it opened, and does not finalize', async () => {
    const connect = async () => {
      await builder.source.connect();
      throw broken;
    };
    const builder: SuiteBuilder = await builderOf([], {}, { connect });
    const came = await build(builder);
    assertFailed(came);
    equal(came.report.total, null);
    deepStrictEqual(builder.finalized, []);
  });

  it('leaves stores open that were open, and closes the others', async () => {
    const builder = await builderOf([], {}, { getItems: () => [] });
    const { source, target } = builder;
    for (const finalize of [undefined, breaks])
      for (const [open, closed] of [
        [source, target],
        [target, source],
      ] as const) {
        builder.parts = { getItems: () => [], ...(finalize && { finalize }) };
        await open.connect();
        await build(builder);
        deepStrictEqual([open.connected, closed.connected], [true, false]);
        await open.close();
      }
  });

  it('finishes and writes what is in flight after stop(), and takes no more', async () => {
    using meeting = new Meeting();
    const processor = suite.create();
    let isSourceLeft = false;
    const builder: SuiteBuilder = await builderOf(
      [],
      { chunkSize: 10 },
      {
        getItems: async function* () {
          try {
            yield meeting.item(0);
            yield* countFrom(1, builder);
          } finally {
            isSourceLeft = true;
          }
        },
      },
    );
    const running = build(builder, { processor });
    await within(Promise.race([meeting.begun(), running]), 'the first item');
    processor.stop();
    meeting.go();
    const { error, report } = await running;
    equal(error, null);
    equal(report.status, 'cancelled');
    equal(isSourceLeft, true);
    deepStrictEqual(builder.finalized, ['cancelled']);
    const docs = await contents(builder.target);
    equal(docs[0]?.['k'], 0);
    equal(docs.length, report.succeeded);
  });

  it('does not wait after stop() for a source that hangs', async () => {
    const processor = suite.create();
    const builder = await builderOf([], {}, { getItems: () => numbersThen(1, never) });
    // With the first item; nothing comes after it.
    processor.once('BUILD_STARTED', () => setImmediate(() => processor.stop()));
    const { error, report } = await build(builder, { processor });
    deepStrictEqual([error, report.status], [null, 'cancelled']);
    deepStrictEqual(builder.finalized, ['cancelled']);
    equal((await contents(builder.target)).length, report.succeeded);
  });

  it('ends at once when the signal fires, also while an item and the source hang', async () => {
    using meeting = new Meeting();
    const controller = new AbortController();
    const builder = await builderOf(
      [],
      {},
      {
        getItems: async function* () {
          yield meeting.item(0);
          await never();
        },
      },
    );
    const running = build(builder, { signal: controller.signal });
    await within(Promise.race([meeting.begun(), running]), 'the first item');
    controller.abort(broken);
    const { error, report } = await running;
    ok(error instanceof BuildAbortedError, String(error));
    equal(error.cause, broken);
    deepStrictEqual([report.status, report.succeeded], ['cancelled', 0]);
    deepStrictEqual(builder.finalized, ['cancelled']);
  });

  it('ends at once when the signal fires while the target hangs', async () => {
    const controller = new AbortController();
    const updateTargets = () => {
      controller.abort(broken);
      return never();
    };
    const builder = await builderOf([{ k: 0 }], {}, { updateTargets });
    const { error, report } = await build(builder, { signal: controller.signal });
    ok(error instanceof BuildAbortedError, String(error));
    deepStrictEqual([report.status, report.processed], ['cancelled', 0]);
    deepStrictEqual(builder.finalized, ['cancelled']);
  });

  it('ends at once when the signal fires while stores are opened', async () => {
    const controller = new AbortController();
    const connect = () => {
      controller.abort(broken);
      return never();
    };
    const builder = await builderOf([{ k: 0 }], {}, { connect });
    const { error, report } = await build(builder, { signal: controller.signal });
    ok(error instanceof BuildAbortedError, String(error));
    deepStrictEqual([report.status, report.total], ['cancelled', null]);
    deepStrictEqual(builder.finalized, []);
  });

  it('ends when the signal fires while finalize hangs', async () => {
    const controller = new AbortController();
    const finalize = () => {
      controller.abort(broken);
      return never();
    };
    const builder = await builderOf([], {}, { getItems: () => [], finalize });
    const { error, report } = await build(builder, { signal: controller.signal });
    ok(error instanceof BuildAbortedError, String(error));
    equal(report.status, 'cancelled');
    deepStrictEqual(builder.finalized, ['succeeded']);
  });

  it('starts nothing when the signal fired before', async () => {
    const builder = await builderOf(numbered(3));
    const { error, record, report } = await build(builder, { signal: AbortSignal.abort() });
    ok(error instanceof BuildAbortedError, String(error));
    equal(report.status, 'cancelled');
    deepStrictEqual(record.names, ['BUILD_STARTED', 'BUILD_ENDED']);
    deepStrictEqual([builder.connections, builder.written], [0, []]);
  });
}
