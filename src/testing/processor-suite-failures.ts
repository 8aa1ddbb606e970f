import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { BuildFailedError } from '../builder/build-errors.js';
import type { ItemFailure } from '../builder/build-report.js';
import { TooManyFailuresError } from '../errors/builder-errors.js';
import type { ProcessorOptions } from '../processor/processor-options.js';
import type { Doc } from '../query/document.js';
import { countFrom } from './item-sources.js';
import { Meeting } from './meeting.js';
import type { ProcessorSuite } from './processor-suite.js';
import { MIX_OUTCOME } from './processor-suite-mix.js';
import { contents } from './store-contents.js';
import type { SuiteBuilder } from './suite-builder.js';
import { built } from './suite-builder.js';

/** What happens to items that cannot be built, and to the others. */
export function testFailures(suite: ProcessorSuite): void {
  const { it, build, builder: builderOf, mixed } = suite;
  const failureOf = async (deed: string): Promise<ItemFailure | undefined> => {
    const doc = MIX_OUTCOME.failed.find((failing) => failing['do'] === deed);
    const { record } = await mixed();
    return record.of('ITEM_FAILED').find(({ key }) => key === doc?.['k']);
  };

  it('announces each item that fails once, with its key, its cause and one attempt', async () => {
    const { record } = await mixed();
    const announced = record
      .of('ITEM_FAILED')
      .map(({ key, cause, attempts }) => ({ key: key as number, cause, attempts }))
      .sort((a, b) => a.key - b.key);
    deepStrictEqual(
      announced,
      MIX_OUTCOME.failed.map((doc) => ({
        key: doc['k'],
        cause: ['throw', 'reject'].includes(doc['do']) ? 'error' : 'unserializable',
        attempts: 1,
      })),
    );
  });

  it('says what was thrown, with its stack and its cause', async () => {
    for (const deed of ['throw', 'reject']) {
      const error = (await failureOf(deed))?.error;
      equal(error?.name, 'RangeError');
      ok(/^item \d+ is bad$/.test(error.message), error.message);
      ok(error.stack?.includes('SuiteBuilder.processItem'), error.stack);
      if (deed !== 'throw') continue;
      deepStrictEqual([error.cause?.name, error.cause?.message], ['TypeError', 'for a reason']);
    }
  });

  it('records whatever is thrown, also what is no error', async () => {
    const deeds = ['throw a text', 'throw nothing', 'throw an oddity', 'thenable', 'copy'];
    const builder = await builderOf(deeds.map((deed, k) => ({ k, do: deed })));
    const { record, report } = await build(builder);
    const failures = record
      .of('ITEM_FAILED')
      .map(({ key, cause, error }) => ({ key: key as number, cause, name: error.name }))
      .sort((a, b) => a.key - b.key);
    deepStrictEqual(
      failures,
      [0, 1, 2].map((key) => ({ key, cause: 'error', name: 'NonError' })),
    );
    deepStrictEqual([report.status, report.succeeded], ['succeeded', 2]);
  });

  it('says where a result cannot be stored', async () => {
    for (const [deed, path] of [
      ['function', '$.f'],
      ['cycle', '$.self'],
    ] as const) {
      const error = (await failureOf(deed))?.error;
      deepStrictEqual([error?.name, error?.code], ['InvalidDocumentError', 'INVALID_DOCUMENT']);
      ok(error?.message.includes(path), error?.message);
    }
  });

  it('keeps the first hundred failures in the report', async () => {
    const { report } = await mixed();
    equal(report.failures.length, 100);
    equal(report.failed, MIX_OUTCOME.failed.length);
  });

  it('ends an item that awaits for too long, and builds the others', async () => {
    const docs = [{ k: 0 }, { k: 1, do: 'wait' }, { k: 2 }, { k: 3, do: 'promise', ms: 1 }];
    const builder = await builderOf(docs, { timeoutMs: 500 });
    const { report } = await build(builder);
    const [failure] = report.failures;
    deepStrictEqual([failure?.key, failure?.cause, failure?.attempts], [1, 'timeout', 1]);
    deepStrictEqual(
      [failure?.error.name, failure?.error.code],
      ['ItemTimeoutError', 'ITEM_TIMEOUT'],
    );
    ok((failure?.durationMs ?? 0) >= 490, `${failure?.durationMs} ms`);
    deepStrictEqual(await contents(builder.target), docs.filter(({ k }) => k !== 1).map(built));
  });

  const tolerances: [string, ProcessorOptions, number][] = [
    ['with failFast ends a build when an item fails', { failFast: true }, 0],
    ['with maxFailures ends a build when more items fail', { maxFailures: 2 }, 2],
  ];
  for (const [name, options, tolerated] of tolerances)
    it(`${name}, and writes what is built`, async () => {
      const builder: SuiteBuilder = await builderOf(
        [],
        { chunkSize: 10 },
        { getItems: () => countFrom(0, builder, (k) => (k % 15 === 14 ? 'throw' : 'copy')) },
      );
      const { error, report } = await build(builder, { processor: suite.create(options) });
      ok(error instanceof BuildFailedError, String(error));
      ok(error.cause instanceof TooManyFailuresError, String(error.cause));
      equal(report.status, 'failed');
      equal(report.error?.code, 'TOO_MANY_FAILURES');
      deepStrictEqual(builder.finalized, ['failed']);
      ok(report.failed > tolerated);
      const keys = (await contents(builder.target)).map((doc) => doc['k'] as number);
      equal(keys.length, report.succeeded);
      // What was begun before the first item that failed is built by then.
      deepStrictEqual(
        keys.filter((k) => k < 14),
        Array.from({ length: 14 }, (_, k) => k),
      );
    });

  it('tries again what is worth it, and records only what fails in the end, once', async () => {
    using meeting = new Meeting();
    const { folder } = meeting;
    const docs: Doc[] = [
      { k: 0, do: 'throw' },
      { k: 1, do: 'throw a TypeError' },
      { k: 2, do: 'fail once', folder },
      { k: 3, do: 'function' },
      { k: 4 },
    ];
    const retry = { attempts: 3, delayMs: 1, on: ({ name }: Error) => name === 'RangeError' };
    const builder = await builderOf(docs);
    const { record, report } = await build(builder, { processor: suite.create({ retry }) });
    const attempts = record
      .of('ITEM_FAILED')
      .map((failure) => [failure.key as number, failure.attempts] as const)
      .sort(([a], [b]) => a - b);
    deepStrictEqual(attempts, [
      [0, 3],
      [1, 1],
      [3, 1],
    ]);
    deepStrictEqual([report.processed, report.succeeded, report.failed], [5, 2, 3]);
    deepStrictEqual(
      (await contents(builder.target)).map(({ k }) => k),
      [2, 4],
    );
  });
}
