import { randomUUID } from 'node:crypto';
import type { BuildEvents } from '../builder/build-events.js';
import type {
  BuildCounts,
  BuildReport,
  BuildStatus,
  ItemFailure,
} from '../builder/build-report.js';
import type { Builder } from '../builder/builder.js';
import { toPortable } from '../errors/error-transfer.js';

const PROGRESS_INTERVAL_MS = 100;
const KEPT_FAILURES = 100;

/** Announces an event. */
export type Notify = <K extends keyof BuildEvents>(event: K, payload: BuildEvents[K][0]) => void;

/** Counts what happens in one build, and announces it. */
export class BuildMonitor {
  readonly buildId = randomUUID();
  /** How long each stage was at work, in milliseconds. */
  readonly stageMs = { get: 0, process: 0, update: 0 };

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

  /** Announces the build, once. */
  started(total: number | null): void {
    if (this.#started) return;
    this.#started = true;
    this.#total = total;
    this.#notify('BUILD_STARTED', { ...this.#common(), ...this.#stores(), total });
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

  /** An item failed; its record may still have to be written. */
  itemFailed(failure: ItemFailure): void {
    this.#failuresSeen++;
    if (this.#failures.length < KEPT_FAILURES) this.#failures.push(failure);
    this.#notify('ITEM_FAILED', { ...this.#common(), ...failure });
  }

  /** Results are about to be written. */
  updating(items: number): void {
    this.#notify('UPDATE', { ...this.#common(), items });
  }

  /** Nothing more will happen to these items. */
  settled(end: Exclude<keyof BuildCounts, 'processed'>, items = 1): void {
    this.#counts[end] += items;
    this.#counts.processed += items;
    this.#progress();
  }

  /** Announces the end of the build and returns its report. */
  ended(status: BuildStatus, cause?: unknown): BuildReport {
    this.started(null);
    this.#progress(true);
    const report = this.report(status, cause);
    const { total, errors, warnings, durationMs, error } = report;
    this.#notify('BUILD_ENDED', {
      ...this.#common(),
      ...this.#counts,
      status,
      total,
      errors,
      warnings,
      durationMs,
      ...(error && { error }),
    });
    return report;
  }

  /** What has come of the build so far. */
  report(status: BuildStatus, cause?: unknown): BuildReport {
    const { logger } = this.#builder;
    return {
      ...this.#common(),
      ...this.#stores(),
      ...this.#counts,
      status,
      total: this.#total,
      errors: this.#counts.failed + logger.errors,
      warnings: this.#counts.invalid + logger.warnings,
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#start,
      stageMs: { ...this.stageMs },
      failures: [...this.#failures],
      ...(cause !== undefined && { error: toPortable(cause) }),
    };
  }

  #progress(always = false): void {
    const now = performance.now();
    if (!always && now - this.#lastProgress < PROGRESS_INTERVAL_MS) return;
    this.#lastProgress = now;
    this.#notify('PROGRESS', {
      ...this.#common(),
      fetched: this.#fetched,
      processed: this.#attempted,
      written: this.#counts.processed,
      total: this.#total,
    });
  }

  #common(): { builder: string; buildId: string } {
    return { builder: this.#builder.constructor.name, buildId: this.buildId };
  }

  #stores(): { sources: string[]; targets: string[] } {
    return {
      sources: this.#builder.sources.map((store) => store.name),
      targets: this.#builder.targets.map((store) => store.name),
    };
  }
}
