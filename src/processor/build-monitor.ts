import { randomUUID } from 'node:crypto';
import type { BuildEvent, BuildEvents, ProgressEvent } from '../builder/build-events.js';
import type {
  BuildCounts,
  BuildReport,
  BuildStatus,
  ItemFailure,
} from '../builder/build-report.js';
import type { Builder } from '../builder/builder.js';
import { toPortable } from '../errors/error-transfer.js';
import { redact } from '../errors/redact.js';

const PROGRESS_INTERVAL_MS = 100;
const KEPT_FAILURES = 100;
const ENDS = ['succeeded', 'failed', 'skipped', 'invalid'] as const;

/** Announces an event. */
export type Notify = <K extends keyof BuildEvents>(event: K, payload: BuildEvents[K][0]) => void;

/** What an item may come to. */
export type ItemEnd = Exclude<keyof BuildCounts, 'processed'>;

/** When a stage was at work, by the clock of `performance.now()`. */
interface StageTimes {
  /** How long in all, in milliseconds. */
  busyMs: number;
  first: number;
  last: number;
}

const idle = (): StageTimes => ({
  busyMs: 0,
  first: Number.POSITIVE_INFINITY,
  last: Number.NEGATIVE_INFINITY,
});

/** Counts what happens in one build, and announces it. */
export class BuildMonitor {
  readonly buildId = randomUUID();
  /** When each stage was at work. */
  readonly stages = { get: idle(), process: idle(), update: idle() };
  /** Told of items when nothing more will happen to them. */
  onSettled: ((end: ItemEnd, items: number) => void) | undefined;

  readonly #builder: Builder<unknown, unknown>;
  readonly #notify: Notify;
  readonly #counts: BuildCounts = { processed: 0, succeeded: 0, failed: 0, skipped: 0, invalid: 0 };
  readonly #failures: ItemFailure[] = [];
  readonly #startedAt = new Date();
  readonly #start = performance.now();
  #total: number | null = null;
  #started = false;
  #fetched = 0;
  #attempted = 0;
  #written = 0;
  #failuresSeen = 0;
  #lastProgress = Number.NEGATIVE_INFINITY;

  constructor(builder: Builder<unknown, unknown>, notify: Notify) {
    this.#builder = builder;
    this.#notify = notify;
  }

  /** How many items failed so far, whether their records are written or not. */
  get failuresSeen(): number {
    return this.#failuresSeen;
  }

  /** What all events of the build carry. */
  identity(): BuildEvent {
    return { builder: this.#builder.constructor.name, buildId: this.buildId };
  }

  /** Announces the build, once. */
  started(total: number | null): void {
    if (this.#started) return;
    this.#started = true;
    this.#total = total;
    const { version } = this.#builder;
    this.#notify('BUILD_STARTED', { ...this.identity(), ...this.#stores(), total, version });
  }

  /** The source gave items. */
  fetched(items: number): void {
    this.#fetched += items;
    this.#progress();
  }

  /** Items were processed, whatever came of them. */
  attempted(items: number): void {
    this.#attempted += items;
    this.#progress();
  }

  /**
   * A stage was at work until now.
   *
   * @param since - From when, as `performance.now()` told.
   * @param lanes - How many do the same work at the same time.
   */
  worked(stage: keyof BuildMonitor['stages'], since: number, lanes = 1): void {
    const now = performance.now();
    const times = this.stages[stage];
    times.busyMs += (now - since) / lanes;
    times.first = Math.min(times.first, since);
    times.last = now;
  }

  /** An item failed; its record may still have to be written. */
  itemFailed(failure: ItemFailure): void {
    this.#failuresSeen++;
    if (this.#failures.length < KEPT_FAILURES) this.#failures.push(failure);
    this.#notify('ITEM_FAILED', { ...this.identity(), ...failure });
  }

  /** Results are about to be written. */
  updating(items: number): void {
    this.#notify('UPDATE', { ...this.identity(), items });
  }

  /** Nothing more will happen to these items. */
  settled(end: ItemEnd, items = 1): void {
    this.#counts[end] += items;
    this.#counts.processed += items;
    this.#written += items;
    if (items > 0) this.onSettled?.(end, items);
    this.#progress();
  }

  /** What is at work elsewhere has come so far, in all. */
  reached({ fetched, processed, written }: Omit<ProgressEvent, keyof BuildEvent | 'total'>): void {
    this.#fetched = fetched;
    this.#attempted = processed;
    this.#written = written;
    this.#progress();
  }

  /** What was at work elsewhere came to these ends; its failures are told by {@link itemFailed}. */
  built(counts: Readonly<BuildCounts>): void {
    this.#counts.processed += counts.processed;
    for (const end of ENDS) {
      this.#counts[end] += counts[end];
      if (counts[end] > 0) this.onSettled?.(end, counts[end]);
    }
    this.#fetched = this.#attempted = this.#written = this.#counts.processed;
    this.#progress();
  }

  /** Announces the end of the build and returns its report. */
  ended(status: BuildStatus, cause?: unknown): BuildReport {
    this.started(null);
    this.#progress(true);
    const report = this.report(status, cause);
    const { total, errors, warnings, durationMs, stageMs, error } = report;
    this.#notify('BUILD_ENDED', {
      ...this.identity(),
      ...this.#counts,
      status,
      total,
      errors,
      warnings,
      durationMs,
      stageMs,
      ...(error && { error }),
    });
    return report;
  }

  /** What has come of the build so far. */
  report(status: BuildStatus, cause?: unknown): BuildReport {
    const { logger } = this.#builder;
    const { get, process, update } = this.stages;
    return {
      ...this.identity(),
      ...this.#stores(),
      ...this.#counts,
      status,
      total: this.#total,
      errors: this.#counts.failed + logger.errors,
      warnings: this.#counts.invalid + logger.warnings,
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#start,
      stageMs: { get: get.busyMs, process: process.busyMs, update: update.busyMs },
      failures: [...this.#failures],
      ...(cause !== undefined && { error: toPortable(cause) }),
    };
  }

  #progress(always = false): void {
    const now = performance.now();
    if (!always && now - this.#lastProgress < PROGRESS_INTERVAL_MS) return;
    this.#lastProgress = now;
    this.#notify('PROGRESS', {
      ...this.identity(),
      fetched: this.#fetched,
      processed: this.#attempted,
      written: this.#written,
      total: this.#total,
    });
  }

  #stores(): { sources: string[]; targets: string[] } {
    return {
      sources: this.#builder.sources.map((store) => redact(store.name)),
      targets: this.#builder.targets.map((store) => redact(store.name)),
    };
  }
}
