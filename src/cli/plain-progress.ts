import type {
  BuildEndedEvent,
  BuildStartedEvent,
  ItemFailedEvent,
  ProgressEvent,
} from '../builder/build-events.js';
import type { Logger } from '../util/logger.js';
import { formatDuration, formatRate } from './figures.js';
import type { BuildEventSource } from './progress-bars.js';

const INTERVAL_MS = 30_000;

/** What {@link PlainProgress} may be told. */
export interface PlainProgressOptions {
  /**
   * How much time lies between two lines.
   *
   * @defaultValue `30_000`
   */
  readonly intervalMs?: number;
  /**
   * What else there is to tell.
   *
   * @defaultValue nothing
   */
  readonly details?: () => readonly string[];
  /**
   * Milliseconds; a test brings its own.
   *
   * @defaultValue `performance.now`
   */
  readonly now?: () => number;
}

/** How far a build has come. */
interface Progress {
  readonly builder: string;
  readonly startedAt: number;
  items: number;
  total: number | null;
  failed: number;
}

/** Logs now and then how far the running builds have come, where no bars can show it; listens to a processor. */
export class PlainProgress {
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #details: () => readonly string[];
  readonly #now: () => number;
  /** The builds that run, by their ids. */
  readonly #builds = new Map<string, Progress>();
  #loggedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    logger: Logger,
    {
      intervalMs = INTERVAL_MS,
      details = () => [],
      now = () => performance.now(),
    }: PlainProgressOptions = {},
  ) {
    this.#logger = logger;
    this.#intervalMs = intervalMs;
    this.#details = details;
    this.#now = now;
  }

  /**
   * Begins to listen.
   *
   * @returns Ends it.
   */
  follow(source: BuildEventSource): () => void {
    source.on('BUILD_STARTED', this.#start);
    source.on('PROGRESS', this.#advance);
    source.on('ITEM_FAILED', this.#fail);
    source.on('BUILD_ENDED', this.#end);
    return () => {
      this.#stopClock();
      source.off('BUILD_STARTED', this.#start);
      source.off('PROGRESS', this.#advance);
      source.off('ITEM_FAILED', this.#fail);
      source.off('BUILD_ENDED', this.#end);
    };
  }

  readonly #start = ({ builder, buildId, total }: BuildStartedEvent) => {
    const startedAt = this.#now();
    if (this.#builds.size === 0) this.#loggedAt = startedAt;
    this.#builds.set(buildId, { builder, startedAt, items: 0, total, failed: 0 });
    this.#timer ??= setInterval(this.#logWhenDue, this.#intervalMs).unref();
  };

  readonly #advance = ({ buildId, written, total }: ProgressEvent) => {
    const build = this.#builds.get(buildId);
    if (build === undefined) return;
    build.items = written;
    build.total = total;
    // A builder that computes without a pause leaves timers no chance.
    this.#logWhenDue();
  };

  readonly #fail = ({ buildId }: ItemFailedEvent) => {
    const build = this.#builds.get(buildId);
    if (build !== undefined) build.failed++;
  };

  readonly #end = ({ buildId }: BuildEndedEvent) => {
    this.#builds.delete(buildId);
    if (this.#builds.size === 0) this.#stopClock();
  };

  readonly #logWhenDue = () => {
    const now = this.#now();
    if (now - this.#loggedAt < this.#intervalMs) return;
    this.#loggedAt = now;
    for (const build of this.#builds.values()) {
      const { text, fields } = describe(build, now - build.startedAt);
      this.#logger.info([text, ...this.#details()].join(', '), fields);
    }
  };

  #stopClock(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** `MultiplyBuilder: 4200 of 20000 items (21 %), 140 items/s, 1 min 53 s left, 3 failed`. */
function describe({ builder, items, total: announced, failed }: Progress, elapsedMs: number) {
  // More items than announced: the announced number was wrong, so there is none.
  const total = announced !== null && items <= announced ? announced : null;
  const rate = elapsedMs > 0 ? (items * 1000) / elapsedMs : 0;
  const leftMs = total !== null && rate > 0 ? ((total - items) * 1000) / rate : null;
  const percent = total === null || total === 0 ? 100 : Math.floor((items / total) * 100);
  const parts = [
    total === null ? `${items} items` : `${items} of ${total} items (${percent} %)`,
    ...(rate > 0 ? [`${formatRate(rate)} items/s`] : []),
    ...(leftMs === null ? [] : [`${formatDuration(leftMs)} left`]),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  const fields = { builder, items, total, rate, leftMs, failed };
  return { text: `${builder}: ${parts.join(', ')}`, fields };
}
