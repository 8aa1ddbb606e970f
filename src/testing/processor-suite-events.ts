import { deepStrictEqual, equal, notEqual, ok } from 'node:assert/strict';
import type { ProcessorSuite } from './processor-suite.js';
import { MIX, MIX_CHUNK, MIX_OUTCOME } from './processor-suite-mix.js';

/** What is announced, and in which order. Every run of the suite is held to the grammar; see `build-check`. */
export function testEvents(suite: ProcessorSuite): void {
  const { it, build, builder: builderOf, mixed } = suite;

  it('announces the start with the stores and the total', async () => {
    const { builder, record, report } = await mixed();
    const common = { builder: 'SuiteBuilder', buildId: report.buildId, total: MIX.length };
    const stores = { sources: [builder.source.name], targets: [builder.target.name] };
    const { version } = builder;
    deepStrictEqual(record.of('BUILD_STARTED'), [{ ...common, ...stores, version }]);
    const { sources, targets } = report;
    deepStrictEqual({ sources, targets }, stores);
  });

  it('announces the end with the counts, which count each item once', async () => {
    const [ended] = (await mixed()).record.of('BUILD_ENDED');
    const { built, failed, skipped } = MIX_OUTCOME;
    deepStrictEqual(
      [ended?.status, ended?.total, ended?.processed],
      ['succeeded', MIX.length, MIX.length],
    );
    deepStrictEqual(
      [ended?.succeeded, ended?.failed, ended?.skipped, ended?.invalid],
      [built.length, failed.length, skipped.length, 0],
    );
  });

  it('announces each write, with its number of results, just before it', async () => {
    const { writes } = await mixed();
    const sizes = [MIX_CHUNK, MIX_CHUNK, MIX_OUTCOME.built.length % MIX_CHUNK];
    deepStrictEqual(
      writes,
      sizes.flatMap((size) => [`UPDATE ${size}`, `write ${size}`]),
    );
  });

  it('announces the final progress', async () => {
    const n = MIX.length;
    const last = (await mixed()).record.of('PROGRESS').at(-1);
    deepStrictEqual([last?.fetched, last?.processed, last?.written, last?.total], [n, n, n, n]);
  });

  it('counts what the builder logs, wherever it does', async () => {
    const { report } = await mixed();
    const { failed, logging } = MIX_OUTCOME;
    deepStrictEqual(
      [report.errors, report.warnings],
      [failed.length + logging.length, logging.length],
    );
  });

  it('counts what the target refuses as invalid', async () => {
    const refusal = { key: 1, reason: 'it is not wanted' };
    const builder = await builderOf(
      [{ k: 0 }, { k: 1 }, { k: 2 }],
      {},
      { updateTargets: async () => ({ written: 2, refused: [refusal] }) },
    );
    const { report } = await build(builder);
    deepStrictEqual([report.succeeded, report.invalid, report.warnings], [2, 1, 1]);
  });

  it('announces a build without items, and gives each build an id of its own', async () => {
    const processor = suite.create();
    const builder = await builderOf([], {}, { getItems: () => [] });
    const { record, report } = await build(builder, { processor });
    deepStrictEqual(record.names, ['BUILD_STARTED', 'BUILD_ENDED']);
    deepStrictEqual([report.status, report.total, report.processed], ['succeeded', 0, 0]);
    deepStrictEqual(builder.finalized, ['succeeded']);
    deepStrictEqual(builder.written, []);
    notEqual((await build(builder, { processor })).report.buildId, report.buildId);
  });

  it('goes on when listeners throw or reject, and tells the others', async () => {
    const processor = suite.create();
    const told: string[] = [];
    const complaint = new RangeError('a listener of the suite');
    // A processor may print it.
    delete complaint.stack;
    for (const name of ['BUILD_STARTED', 'UPDATE', 'ITEM_FAILED', 'BUILD_ENDED'] as const) {
      processor.on(name, () => {
        throw complaint;
      });
      processor.on(name, () => Promise.reject(complaint));
      processor.on(name, () => void told.push(name));
    }
    const { report } = await build(await builderOf([{ k: 0 }, { k: 1, do: 'throw' }]), {
      processor,
    });
    deepStrictEqual([report.status, report.succeeded, report.failed], ['succeeded', 1, 1]);
    equal(told.length, 4);
    ok(told.includes('UPDATE'));
  });
}
