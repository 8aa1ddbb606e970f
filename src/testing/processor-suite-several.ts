import { deepStrictEqual, equal, rejects } from 'node:assert/strict';
import { BuilderBusyError } from '../errors/builder-errors.js';
import { MemoryStore } from '../store/memory/memory-store.js';
import type { Store } from '../store/store.js';
import type { ProcessorSuite } from './processor-suite.js';
import { contents } from './store-contents.js';
import type { SuiteParts } from './suite-builder.js';
import { SuiteBuilder } from './suite-builder.js';

/** Several builders in one call, and one builder in several. */
export function testSeveral(suite: ProcessorSuite): void {
  const { it, buildAll } = suite;
  const nothing: SuiteParts = { getItems: () => [] };
  const stores = (n: number): Store[] =>
    Array.from({ length: n }, () => new MemoryStore({ key: 'k' }));
  const between = (
    source = new MemoryStore({ key: 'k' }) as Store,
    target = stores(1)[0],
    parts?: SuiteParts,
  ) => Object.assign(new SuiteBuilder(source, target as Store), parts && { parts });

  it('runs builders one after the other, in their order', async () => {
    const builders = [0, 1, 2].map(() => between(undefined, undefined, nothing));
    const { builds, record } = await buildAll(builders);
    deepStrictEqual(
      record.buildIds,
      builds.map(({ report }) => report.buildId),
    );
    deepStrictEqual(
      builders.map(({ finalized }) => finalized),
      [['succeeded'], ['succeeded'], ['succeeded']],
    );
  });

  it('skips what reads what a failed build writes, one after the other, and nothing else', async () => {
    const [a, b, c, d] = stores(4);
    const free = await suite.builder([{ k: 1 }]);
    const broken: SuiteParts = { finalize: () => Promise.reject(new RangeError('it broke')) };
    const { builds } = await buildAll([
      between(a, b, { ...nothing, ...broken }),
      between(b, c),
      between(c, d),
      between(a, undefined, nothing),
      free,
    ]);
    deepStrictEqual(
      builds.map(({ report }) => report.status),
      ['failed', 'skipped', 'skipped', 'succeeded', 'succeeded'],
    );
    deepStrictEqual(
      builds.slice(1, 3).map(({ record }) => record.names),
      [1, 2].map(() => ['BUILD_STARTED', 'BUILD_ENDED']),
    );
    equal((await contents(free.target)).length, 1);
  });

  it('starts no builder after stop(), nor after the signal', async () => {
    const processor = suite.create();
    const controller = new AbortController();
    for (const end of [() => processor.stop(), () => controller.abort()]) {
      const first = between(undefined, undefined, { ...nothing, finalize: async () => end() });
      const second = between(undefined, undefined, nothing);
      const { signal } = controller;
      const { builds } = await buildAll([first, second], { processor, signal });
      deepStrictEqual(
        builds.map(({ report }) => report.status),
        ['cancelled', 'cancelled'],
      );
      equal(second.connections, 0);
    }
  });

  it('runs builders that share no store at the same time when asked', async () => {
    let waiting: (() => void)[] = [];
    const meet = () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length < 2) return;
        for (const goOn of waiting) goOn();
        waiting = [];
      });
    // Each waits for the other, so that the run ends only when they run at the same time.
    const builders = [0, 1].map(() =>
      between(undefined, undefined, {
        async *getItems() {
          await meet();
          yield* [];
        },
      }),
    );
    const { builds } = await buildAll(builders, { parallel: true });
    deepStrictEqual(
      builds.map(({ report }) => report.status),
      ['succeeded', 'succeeded'],
    );
  });

  it('runs builders that share a store one after the other, also when asked for parallel runs', async () => {
    const first = await suite.builder([{ k: 1 }]);
    const second = between(first.target);
    const third = between(first.source, undefined, nothing);
    const { builds, record } = await buildAll([first, second, third], { parallel: true });
    const [one, ...others] = builds.map(({ report }) => report.buildId);
    for (const id of others) deepStrictEqual(record.ofBuilds([one, id]).buildIds, [one, id]);
    equal((await contents(second.target)).length, 1);
  });

  /** A builder whose source waits until it is told to go on. */
  const held = () => {
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const builder = between(undefined, undefined, {
      async *getItems() {
        await gate;
        yield* [];
      },
    });
    return { builder, goOn };
  };

  it('refuses a builder that is running', async () => {
    const processor = suite.create();
    const { builder, goOn } = held();
    const running = suite.build(builder, { processor });
    // It is awaited in the end; until then, nobody must take a failure for unnoticed.
    running.catch(() => undefined);
    try {
      await suite.within(rejects(processor.run(builder), BuilderBusyError), 'the second run');
      await suite.within(rejects(suite.create().run(builder), BuilderBusyError), 'the third run');
    } finally {
      goOn();
      equal((await running).report.status, 'succeeded');
    }
    equal((await suite.build(builder, { processor })).report.status, 'succeeded');
  });

  it('reports a builder of several that is running as failed, and runs the others', async () => {
    const processor = suite.create();
    const { builder, goOn } = held();
    const running = processor.run(builder);
    const others = [0, 1].map(() => between(undefined, undefined, nothing)) as [
      SuiteBuilder,
      SuiteBuilder,
    ];
    try {
      const all = processor.runAll([others[0], builder, others[1]]);
      const reports = await suite.within(all, 'the run of several');
      deepStrictEqual(
        reports.map(({ status, error }) => [status, error?.code]),
        [
          ['succeeded', undefined],
          ['failed', 'BUILDER_BUSY'],
          ['succeeded', undefined],
        ],
      );
    } finally {
      goOn();
      await suite.within(running, 'the first run');
    }
  });

  it('stays stopped when another run is started meanwhile', async () => {
    const processor = suite.create();
    let another: Promise<unknown> | undefined;
    const finalize = async () => {
      processor.stop();
      another = processor.run(between(undefined, undefined, nothing));
    };
    const first = between(undefined, undefined, { ...nothing, finalize });
    const second = between(undefined, undefined, nothing);
    const { builds } = await buildAll([first, second], { processor });
    deepStrictEqual(
      builds.map(({ report }) => report.status),
      ['cancelled', 'cancelled'],
    );
    await suite.within(another ?? Promise.resolve(), 'the other run');
  });
}
