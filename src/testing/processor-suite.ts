import type { BuildReport } from '../builder/build-report.js';
import type { Processor } from '../processor/processor.js';
import type { ProcessorOptions } from '../processor/processor-options.js';
import type { Doc } from '../query/document.js';
import { MemoryStore } from '../store/memory/memory-store.js';
import { checkBuild, checkStores } from './build-check.js';
import type { BuildRecord } from './build-record.js';
import { recordBuilds } from './build-record.js';
import { testDocuments } from './processor-suite-documents.js';
import { testEnds } from './processor-suite-ends.js';
import { testEvents } from './processor-suite-events.js';
import { testFailures } from './processor-suite-failures.js';
import type { MixedBuild } from './processor-suite-mix.js';
import { mixedBuild } from './processor-suite-mix.js';
import { testSeveral } from './processor-suite-several.js';
import type { SettledRun } from './settled.js';
import { settled } from './settled.js';
import type { SuiteBuilderOptions, SuiteParts } from './suite-builder.js';
import { SuiteBuilder } from './suite-builder.js';
import type { TestRunner } from './test-runner.js';
import { within } from './waiting.js';

const DEADLINE_MS = 20_000;

/** How the suite gets processors of one kind. */
export interface ProcessorHarness {
  /** What the tests stand under. */
  readonly name: string;
  /**
   * Makes a processor.
   *
   * @param options - To be handed to the processor.
   */
  create(options?: ProcessorOptions): Processor;
  /**
   * How long a run may take, in milliseconds, before the test fails; the longest does about a second of work.
   * @defaultValue `20_000`
   */
  readonly deadlineMs?: number;
}

/** What came of a run, which kept to the grammar of events and whose counts add up. */
export interface Build extends SettledRun {
  readonly record: BuildRecord;
}

/** How a test wants a builder to be run. */
export interface BuildSetup {
  readonly processor?: Processor;
  readonly signal?: AbortSignal;
}

/** What the groups of the suite are written with. */
export interface ProcessorSuite {
  readonly it: TestRunner['it'];
  /** A processor as {@link ProcessorHarness.create} makes it. */
  create(options?: ProcessorOptions): Processor;
  /** A builder from a MemoryStore with these documents to an empty one, both closed, with the key `k`. */
  builder(
    docs: readonly Doc[],
    options?: SuiteBuilderOptions,
    parts?: SuiteParts,
  ): Promise<SuiteBuilder>;
  /** Runs a builder and checks what holds for every build. */
  build(builder: SuiteBuilder, setup?: BuildSetup): Promise<Build>;
  /** The same for several builders in one call. */
  buildAll(
    builders: readonly SuiteBuilder[],
    setup?: BuildSetup & { readonly parallel?: boolean },
  ): Promise<{ readonly builds: Build[]; readonly record: BuildRecord }>;
  /** One run with items of all kinds, made when it is first asked for. */
  mixed(): Promise<MixedBuild>;
  /** Waits for something, but not for ever. */
  within<T>(promise: Promise<T>, what: string): Promise<T>;
}

const GROUPS = {
  documents: testDocuments,
  events: testEvents,
  failures: testFailures,
  ends: testEnds,
  'several builders': testSeveral,
} satisfies Record<string, (suite: ProcessorSuite) => void>;

/**
 * Registers what every processor must do, wherever it processes items: for authors of processors.
 *
 * The builder of the suite is serializable; its class is exported by a module of this package, which workers import by
 * its URL. A test runs for some seconds when starting a worker takes long, so give each a limit well above
 * {@link ProcessorHarness.deadlineMs}.
 *
 * @param runner - The functions of the test runner.
 * @param harness - How to make a processor.
 *
 * @example
 * ```ts
 * import { testProcessor } from 'maggma/testing';
 * import { describe, it } from 'vitest';
 *
 * testProcessor({ describe, it }, { name: 'MyProcessor', create: (options) => new MyProcessor(options) });
 * ```
 */
export function testProcessor({ describe, it }: TestRunner, harness: ProcessorHarness): void {
  const { deadlineMs = DEADLINE_MS } = harness;
  const create = (options?: ProcessorOptions) => harness.create(options);
  const run = async <T>(
    builders: readonly SuiteBuilder[],
    processor: Processor,
    running: () => Promise<T>,
  ): Promise<[T, BuildRecord]> => {
    for (const builder of builders) builder.forget();
    const check = checkStores(builders);
    const recording = recordBuilds(processor);
    try {
      const came = await within(running(), deadlineMs, 'the run');
      check();
      return [came, recording.stop()];
    } finally {
      recording.stop();
      for (const builder of builders) builder.isOver = true;
    }
  };
  let mixed: Promise<MixedBuild> | undefined;
  const suite: ProcessorSuite = {
    it,
    create,
    async builder(docs, options = {}, parts = {}) {
      const [source, target] = [new MemoryStore({ key: 'k' }), new MemoryStore({ key: 'k' })];
      await source.connect();
      await source.update(docs);
      await source.close();
      return Object.assign(new SuiteBuilder(source, target, options), { parts });
    },
    async build(builder, { processor = create(), ...options } = {}) {
      const [came, all] = await run([builder], processor, () =>
        settled(processor.run(builder, options)),
      );
      const record = all.ofBuilds([came.report.buildId]);
      checkBuild(builder, came.report, record);
      return { ...came, record };
    },
    async buildAll(builders, { processor = create(), ...options } = {}) {
      const [reports, record] = await run(builders, processor, () =>
        processor.runAll(builders, options),
      );
      const builds = builders.map((builder, i) => {
        const report = reports[i] as BuildReport;
        const own = record.ofBuilds([report.buildId]);
        checkBuild(builder, report, own);
        return { report, error: null, record: own };
      });
      return { builds, record };
    },
    mixed() {
      mixed ??= mixedBuild(suite);
      return mixed;
    },
    within: (promise, what) => within(promise, deadlineMs, what),
  };
  describe(`processor contract: ${harness.name}`, () => {
    for (const [name, register] of Object.entries(GROUPS)) describe(name, () => register(suite));
  });
}
