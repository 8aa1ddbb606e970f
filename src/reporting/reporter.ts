import type {
  BuildEndedEvent,
  BuildStartedEvent,
  ItemFailedEvent,
  ProgressEvent,
  UpdateEvent,
} from '../builder/build-events.js';
import { InvalidOptionError } from '../errors/option-errors.js';
import type { Processor } from '../processor/processor.js';
import type { Doc } from '../query/document.js';
import type { Store } from '../store/store.js';
import { Delivery } from './delivery.js';
import { ReportedBuild } from './reported-build.js';
import type { ReporterOptions, ResolvedReporterOptions } from './reporter-options.js';
import { resolveReporterOptions } from './reporter-options.js';

/**
 * Writes what happens in builds into a store, in the documents that Python's `mrun -r` writes and with more in them:
 * BUILD_STARTED, UPDATE, BUILD_ENDED.
 *
 * It never stops or slows a build. Documents are written in the background; while the store cannot be reached they are
 * kept in a local spool, and written later: by this Reporter, or by the next one for the same store. BUILD_STARTED is
 * written again from time to time, so that a build whose process was killed can be told from one that runs.
 * {@link readBuilds} reads it all back.
 *
 * @example
 * ```ts
 * await using reporter = new Reporter(new MongoStore('lab', 'builds', { host: 'db.example.org' }));
 * const processor = new SerialProcessor();
 * reporter.follow(processor);
 * await processor.runAll(builders);
 * ```
 */
export class Reporter implements AsyncDisposable {
  readonly #options: ResolvedReporterOptions;
  readonly #delivery: Delivery;
  /** What ends listening, by the processor. */
  readonly #followed = new Map<Processor, () => void>();

  /**
   * @param store - Receives the documents, by their `_id`; opened when there are some, and closed again by `close()`.
   * @param options - As {@link ReporterOptions} says.
   */
  constructor(store: Store, options: ReporterOptions = {}) {
    if (typeof store?.update !== 'function')
      throw new InvalidOptionError('store', 'a Store', store);
    if (!store.capabilities.writable)
      throw new InvalidOptionError(
        'store',
        'one that can be written (a JSONStore with `readOnly: false`)',
        store.name,
      );
    this.#options = resolveReporterOptions(options);
    this.#delivery = new Delivery(store, this.#options.spoolFolder);
  }

  /**
   * Begins to listen to a processor; several can be followed.
   *
   * @returns Ends it.
   */
  follow(processor: Processor): () => void {
    const known = this.#followed.get(processor);
    if (known !== undefined) return known;
    const builds = new Map<string, ReportedBuild>();
    const start = (event: BuildStartedEvent) => {
      const write = (doc: Doc) => this.#delivery.add(doc);
      builds.set(event.buildId, new ReportedBuild(event, this.#options, write));
    };
    const advance = (event: ProgressEvent) => builds.get(event.buildId)?.progress(event);
    const fail = ({ buildId }: ItemFailedEvent) => builds.get(buildId)?.itemFailed();
    const update = ({ buildId, items }: UpdateEvent) => builds.get(buildId)?.updating(items);
    const end = (event: BuildEndedEvent) => {
      builds.get(event.buildId)?.ended(event);
      builds.delete(event.buildId);
    };
    processor.on('BUILD_STARTED', start).on('PROGRESS', advance).on('ITEM_FAILED', fail);
    processor.on('UPDATE', update).on('BUILD_ENDED', end);
    const unfollow = () => {
      processor.off('BUILD_STARTED', start).off('PROGRESS', advance).off('ITEM_FAILED', fail);
      processor.off('UPDATE', update).off('BUILD_ENDED', end);
      for (const build of builds.values()) build.leave();
      builds.clear();
      this.#followed.delete(processor);
    };
    this.#followed.set(processor, unfollow);
    return unfollow;
  }

  /**
   * Stops listening and writes what is still to be written. What the store does not take in time stays in the spool.
   * A store that this opened is closed.
   */
  async close(): Promise<void> {
    for (const unfollow of this.#followed.values()) unfollow();
    await this.#delivery.close(this.#options.closeTimeoutMs);
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
