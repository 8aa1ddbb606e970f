import type { BuildEvents } from '../builder/build-events.js';
import type { BuildReport } from '../builder/build-report.js';
import type { AnyBuilder, Builder } from '../builder/builder.js';
import { openStores } from '../builder/open-stores.js';
import { InvalidOptionError } from '../errors/option-errors.js';
import type { Processor } from '../processor/processor.js';
import { SerialProcessor } from '../processor/serial/serial-processor.js';
import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import type { Store } from '../store/store.js';
import { recordBuilds } from './build-record.js';
import { settled } from './settled.js';

/** What a test gives to a builder. */
export interface RunBuilderOptions {
  /**
   * Documents of the builder's first source; of several sources, a list for each.
   * @defaultValue what the store holds
   */
  readonly source?: readonly Doc[] | readonly (readonly Doc[])[] | undefined;
  /**
   * What the first target holds before the run.
   * @defaultValue what the store holds
   */
  readonly target?: readonly Doc[] | undefined;
  /**
   * What runs it.
   * @defaultValue a `SerialProcessor`
   */
  readonly processor?: Processor | undefined;
}

/** What came of a run. */
export interface BuilderRun {
  /** What the first target holds now, in the order of its key, without `_id`. */
  readonly documents: Doc[];
  /** Also of a run that failed. */
  readonly report: BuildReport;
  /** Every event with its name, in order. */
  readonly events: readonly { readonly name: keyof BuildEvents; readonly event: unknown }[];
}

/**
 * Runs a builder in a test: puts documents into its stores, builds, and gives back what came of it.
 *
 * Give the builder stores of type `MemoryStore`, and nothing touches a file or a server. They stay open, so that it can
 * be run again.
 *
 * @param builder - Any builder.
 *
 * @example
 * ```ts
 * import { runBuilder } from 'maggma/testing';
 *
 * const builder = new CopyBuilder(new MemoryStore(), new MemoryStore());
 * const { documents, report } = await runBuilder(builder, { source: [{ task_id: 1 }] });
 * ```
 */
export async function runBuilder(
  builder: AnyBuilder,
  options: RunBuilderOptions = {},
): Promise<BuilderRun> {
  const { source, target, processor = new SerialProcessor() } = options;
  await Promise.all((builder as Builder).stores().map((store) => store.connect()));
  const lists = source === undefined ? [] : asLists(source);
  for (const [i, docs] of lists.entries()) await fill('source', builder.sources[i], docs);
  if (target !== undefined) await fill('target', builder.targets[0], target);
  const recording = recordBuilds(processor);
  const { report } = await settled(processor.run(builder)).finally(() => recording.stop());
  const events = recording.stop().entries;
  return { documents: await documentsOf(builder.targets[0]), report, events };
}

/**
 * Does one item again, whatever came of it before, in this thread and without catching what it throws: set a breakpoint
 * in your builder and look.
 *
 * Nothing is written. The items before it are read, too, so that it takes as long as that.
 *
 * @param key - What failures and log lines call the item.
 * @returns What `processItem` returns.
 * @throws `InvalidOptionError` when there is no such item; and whatever the item throws.
 */
export async function replay<Item, Result>(
  builder: Builder<Item, Result>,
  key: unknown,
): Promise<Result | null | undefined> {
  await using _open = await openStores(builder);
  const { fullRefresh } = builder;
  try {
    builder.fullRefresh = true;
    for await (const item of builder.getItems() as AsyncIterable<Item>)
      if (hashValue(builder.itemKey(item)) === hashValue(key))
        return await builder.processItem(item);
  } finally {
    builder.fullRefresh = fullRefresh;
  }
  throw new InvalidOptionError('key', `the key of an item of ${builder.constructor.name}`, key);
}

function asLists(source: NonNullable<RunBuilderOptions['source']>): readonly (readonly Doc[])[] {
  return source.every((item) => Array.isArray(item))
    ? (source as readonly (readonly Doc[])[])
    : [source as readonly Doc[]];
}

async function fill(name: string, store: Store | undefined, docs: readonly Doc[]): Promise<void> {
  if (store === undefined)
    throw new InvalidOptionError(name, 'no more lists than the builder has stores', docs);
  await store.update(docs);
}

async function documentsOf(store: Store | undefined): Promise<Doc[]> {
  if (store === undefined) return [];
  const docs = await store.query({}, { sort: { [store.key]: 1 } }).toArray();
  return docs.map(({ _id, ...doc }) => doc);
}
