import { InvalidBuilderError } from '../errors/builder-errors.js';
import { InvalidOptionError } from '../errors/option-errors.js';
import { arg, option } from '../msonable/decorators.js';
import { markGiven } from '../msonable/given.js';
import type { Doc } from '../query/document.js';
import { getPath } from '../query/path.js';
import type { Cursor } from '../store/cursor.js';
import type { Store } from '../store/store.js';
import type { UpdateResult } from '../store/store-options.js';
import { assertPositiveInteger } from '../util/assert-option.js';
import { BuildLogger } from './build-logger.js';
import type { PlanEntry } from './build-plan.js';
import type { BuildReport, BuildStatus, ItemFailure } from './build-report.js';
import type { FailureRecord } from './failure-record.js';

const BRAND = Symbol.for('maggma.builder');

/** Options that every builder has. */
export interface BuilderOptions {
  /**
   * How many results `updateTargets` receives at most in one call. It does not bound how many items are processed at
   * the same time.
   * @defaultValue `1000`
   */
  readonly chunkSize?: number | undefined;
}

/** Any builder, whatever its items and results are. */
// biome-ignore lint/suspicious/noExplicitAny: both types stand on both sides of methods, so only `any` takes every builder.
export type AnyBuilder = Builder<any, any>;

/** What runs a builder: any `Processor`. */
export interface BuildRunner {
  /** Runs a builder to its end and reports what came of it. */
  run(
    builder: AnyBuilder,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<BuildReport>;
}

/** Options of {@link Builder.run}. */
export interface BuilderRunOptions {
  /**
   * What runs it.
   * @defaultValue a new `SerialProcessor`
   */
  readonly processor?: BuildRunner | undefined;
  /** Stops the build at once when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What to build: items come from the sources, each is processed alone, the results go to the targets.
 *
 * Subclasses say what an item is (`getItems`), what is made of it (`processItem`, a function of the item alone, so that
 * it can run anywhere) and where results go (`updateTargets`). For one document in, one document out, extend
 * {@link MapBuilder} instead: it is incremental. Decorate the class with `@MSONable(import.meta.url)` and its
 * constructor's arguments with `@arg()` and `@option()`, and the builder can be dumped to a file and run by `mrun`.
 *
 * @typeParam Item - What `getItems` yields.
 * @typeParam Result - What `processItem` returns.
 *
 * @example
 * ```ts
 * @MSONable(import.meta.url)
 * class MultiplyBuilder extends Builder {
 *   @arg() readonly source: Store;
 *   @arg() readonly target: Store;
 *   @option() readonly multiplier: number;
 *
 *   constructor(source: Store, target: Store, options: BuilderOptions & { multiplier?: number } = {}) {
 *     super(source, target, options);
 *     this.source = source;
 *     this.target = target;
 *     this.multiplier = options.multiplier ?? 2;
 *   }
 *
 *   getItems() {
 *     return this.source.query();
 *   }
 *
 *   override processItem(doc: Doc) {
 *     return { ...doc, a: doc.a * this.multiplier };
 *   }
 *
 *   updateTargets(docs: readonly Doc[]) {
 *     return this.target.update(docs);
 *   }
 * }
 * ```
 */
export abstract class Builder<Item = Doc, Result = Item> {
  /** The stores that items come from. */
  @arg() readonly sources: readonly Store[];
  /** The stores that results go to. */
  @arg() readonly targets: readonly Store[];
  /** How many results `updateTargets` receives at most. */
  @option({ write: 'given' }) readonly chunkSize: number;

  /** How many items there are; `getItems` and `prechunk` set it before the first one, where they know. */
  total: number | null = null;
  /** Set before a run: builds everything anew, where the builder is incremental. */
  fullRefresh = false;
  /** For the builder's own log lines; errors and warnings are counted in the report. */
  readonly logger: BuildLogger = new BuildLogger(this.constructor.name);

  constructor(
    sources: Store | readonly Store[],
    targets: Store | readonly Store[],
    options: BuilderOptions = {},
  ) {
    const { chunkSize = 1000 } = options;
    assertPositiveInteger('chunkSize', chunkSize);
    this.sources = toStores('sources', sources);
    this.targets = toStores('targets', targets);
    this.chunkSize = chunkSize;
    markGiven(this, options);
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  /** Increase it when the same items give other results; only compared when a builder compares contents. */
  get version(): string | number {
    return 1;
  }

  /** True when `processItem` reads or writes the stores; false spares workers from connecting them. */
  get processUsesStores(): boolean {
    return false;
  }

  /** How many calls of `updateTargets` may run at the same time. */
  get maxConcurrentUpdates(): number {
    return 1;
  }

  /** True when results must be written in the order of their items, also in parallel runs. */
  get ordered(): boolean {
    return false;
  }

  /** How long one item may take, in milliseconds; null for no limit. */
  itemTimeoutMs(): number | null {
    return null;
  }

  /** What failures and log lines call an item: the first source's key, unless a subclass knows better. */
  itemKey(item: Item): unknown {
    const [source] = this.sources;
    return source && typeof item === 'object' && item !== null
      ? getPath(item, source.key)
      : undefined;
  }

  /** Opens all stores. */
  async connect(): Promise<void> {
    await Promise.all(this.stores().map((store) => store.connect()));
  }

  /**
   * Yields what there is to build.
   *
   * A cursor, as `store.query()` returns it, is read by batch and is the fastest. Set {@link total} before the first
   * item when it is known; for an array it is its length.
   */
  abstract getItems(): AsyncIterable<Item> | Iterable<Item> | Cursor<Item & object>;

  /**
   * Makes a result of one item. It must depend on the item and the constructor's arguments alone.
   *
   * Null or undefined skips the item; throwing fails it, and the build goes on.
   */
  processItem(item: Item): Result | null | undefined | Promise<Result | null | undefined> {
    return item as unknown as Result;
  }

  /**
   * What is written for an item that failed; undefined for nothing.
   *
   * @param _item - As `getItems` gave it.
   * @param _failure - Why it failed.
   */
  failureResult(_item: Item, _failure: ItemFailure): Result | undefined {
    return undefined;
  }

  /** What is written for an item that `processItem` skipped; undefined for nothing. */
  skipResult(_item: Item): Result | undefined {
    return undefined;
  }

  /**
   * Writes results to the targets. It may be called again with the same ones after an interrupted run.
   *
   * @param results - At least one, at most {@link chunkSize}.
   * @returns What the store's `update` returned, so that refused documents are counted.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async method without a return is what most builders write.
  abstract updateTargets(results: readonly Result[]): Promise<UpdateResult | void>;

  /**
   * Cleans up after a build, however it ended; called once when `connect` succeeded, with the stores still open, unless
   * somebody else is at work on a target. Throwing makes the build failed.
   */
  async finalize(_context: {
    readonly status: BuildStatus;
    readonly report: BuildReport;
  }): Promise<void> {}

  /**
   * Cuts the work for a distributed run. The stores are open; {@link total} is the sum over all chunks.
   *
   * A chunk is built by a copy of the builder with these arguments, perhaps more than once. {@link finalize} is called once
   * for all chunks, where this is called, and not in the copies.
   *
   * @param _numberOfChunks - How many chunks are wanted.
   * @returns For each chunk the constructor arguments that differ, under their JSON names.
   * @throws {@link InvalidBuilderError} unless a subclass implements it.
   */
  prechunk(_numberOfChunks: number): AsyncIterable<Record<string, unknown>> {
    throw new InvalidBuilderError(
      this.constructor.name,
      'cannot be distributed: implement prechunk(numberOfChunks)',
    );
  }

  /**
   * Lists what a run would do now, and why; what is up to date is left out. It opens the stores that are closed, and
   * writes nothing.
   *
   * @throws {@link InvalidBuilderError} unless a subclass implements it.
   */
  plan(): AsyncIterable<PlanEntry> {
    throw new InvalidBuilderError(this.constructor.name, 'cannot tell its plan: implement plan()');
  }

  /**
   * Lists the items that failed when they were last built, and those whose results were refused; null for a builder that
   * keeps no record of them. It opens the store that it reads, if it is closed, and writes nothing.
   */
  failures(): AsyncIterable<FailureRecord> | null {
    return null;
  }

  /**
   * Builds, quietly, in this process.
   *
   * @returns The report; items may have failed.
   * @throws {@link BuildFailedError} when the build could not go on, {@link BuildAbortedError} when the signal fired;
   * both carry the report.
   */
  async run(options: BuilderRunOptions = {}): Promise<BuildReport> {
    const { processor = await serialProcessor(), signal } = options;
    return processor.run(this, { signal });
  }

  /** All stores, each once. */
  stores(): Store[] {
    return [...new Set([...this.sources, ...this.targets])];
  }
}

/** Tells whether a value is a builder, also when it comes from a second copy of this package. */
export function isBuilder(value: unknown): value is AnyBuilder {
  return typeof value === 'object' && value !== null && BRAND in value;
}

// Lazily: the processors stand above the builders, and only this convenience looks up.
async function serialProcessor(): Promise<BuildRunner> {
  const { SerialProcessor } = await import('../processor/serial/serial-processor.js');
  return new SerialProcessor();
}

/**
 * Makes a list of what a builder was given as stores.
 *
 * @throws {@link InvalidOptionError} for anything else, naming the argument.
 */
export function toStores(option: string, stores: Store | readonly Store[]): readonly Store[] {
  const list = (Array.isArray(stores) ? stores : [stores]) as readonly Store[];
  for (const store of list)
    if (typeof store?.query !== 'function')
      throw new InvalidOptionError(option, 'a Store or a list of Stores', store);
  return Object.freeze([...list]);
}
