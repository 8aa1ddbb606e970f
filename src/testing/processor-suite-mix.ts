import type { Doc } from '../query/document.js';
import type { Build, ProcessorSuite } from './processor-suite.js';
import type { SuiteBuilder } from './suite-builder.js';

/** One run with items of all kinds, for several tests to look at. */
export interface MixedBuild extends Build {
  readonly builder: SuiteBuilder;
  /** What was announced and written, in its order: `UPDATE 50`, `write 50`. */
  readonly writes: string[];
}

const DEEDS = ['copy', 'throw', 'skip', 'promise', 'copy', 'return nothing', 'reject', 'log'];
const FAILING: readonly unknown[] = ['throw', 'reject', 'function', 'cycle'];
const SKIPPED: readonly unknown[] = ['skip', 'return nothing'];

/** The items. More of them fail than a report keeps. */
export const MIX: readonly Doc[] = Array.from({ length: 300 }, (_, k) => {
  const deed = [...DEEDS, 'function', 'cycle'][k % 10];
  return { k, do: deed, n: { list: [k, `${k}`] }, ...(deed === 'log' && { log: true }) };
});

/** What must come of them. */
export const MIX_OUTCOME = {
  built: MIX.filter((doc) => !FAILING.includes(doc['do']) && !SKIPPED.includes(doc['do'])),
  failed: MIX.filter((doc) => FAILING.includes(doc['do'])),
  skipped: MIX.filter((doc) => SKIPPED.includes(doc['do'])),
  logging: MIX.filter((doc) => doc['log'] === true),
} as const;

/** How many results a write of the run has at most. */
export const MIX_CHUNK = 50;

/** Runs the mix. */
export async function mixedBuild(suite: ProcessorSuite): Promise<MixedBuild> {
  const writes: string[] = [];
  const builder: SuiteBuilder = await suite.builder(
    MIX,
    { chunkSize: MIX_CHUNK },
    {
      getItems: async function* () {
        builder.total = await builder.source.count();
        yield* builder.source.query({}, { sort: { k: 1 } });
      },
      updateTargets: (results) => {
        writes.push(`write ${results.length}`);
        return builder.target.update(results as Doc[]);
      },
    },
  );
  // As many failures as are tolerated do not end a build.
  const processor = suite.create({ maxFailures: MIX_OUTCOME.failed.length });
  processor.on('UPDATE', ({ items }) => writes.push(`UPDATE ${items}`));
  const build = await suite.build(builder, { processor });
  return { ...build, builder, writes };
}
