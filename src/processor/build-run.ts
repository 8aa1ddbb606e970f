import { BuildAbortedError, BuildFailedError } from '../builder/build-errors.js';
import type { BuildReport, BuildStatus } from '../builder/build-report.js';
import type { Builder } from '../builder/builder.js';
import { TargetBusyError } from '../errors/processor-errors.js';
import { registerSecretsOf } from '../msonable/secrets.js';
import { holdStore } from '../store/hold-store.js';
import type { Logger } from '../util/logger.js';
import { settledWithin } from '../util/turn.js';
import type { BuildMonitor } from './build-monitor.js';
import type { BuildWork } from './build-work.js';
import type { TargetLeaseMode } from './target-leases.js';
import { TargetLeases } from './target-leases.js';

/** How long finalizing, and closing a store, may take after an abort. */
const GRACE_MS = 2000;

/** What a run needs from its processor. */
export interface BuildRunContext {
  readonly createWork: () => BuildWork;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
  readonly targetLease: TargetLeaseMode;
  /** Names a run that another process may go on with, and then has its targets. */
  readonly run?: string;
}

/**
 * One build from its start to its end: connect, work, finalize, close.
 *
 * Whatever fails on the way, each later step that is still due is carried out, and `BUILD_ENDED` comes once.
 */
export class BuildRun {
  readonly #builder: Builder<unknown, unknown>;
  readonly #monitor: BuildMonitor;
  readonly #context: BuildRunContext;
  #work: BuildWork | undefined;
  #leases: TargetLeases | undefined;
  #abandoned: Promise<void> | undefined;
  #stopped = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(builder: Builder<unknown, unknown>, monitor: BuildMonitor, context: BuildRunContext) {
    this.#builder = builder;
    this.#monitor = monitor;
    this.#context = context;
  }

  /** Finishes what is in flight and ends as cancelled. */
  stop(): void {
    this.#stopped = true;
    this.#work?.halt();
  }

  /** @throws {@link BuildFailedError} or {@link BuildAbortedError}, with the report. */
  async execute(): Promise<BuildReport> {
    const { logger, signal } = this.#context;
    const name = this.#builder.constructor.name;
    registerSecretsOf(this.#builder);
    logger.info(`Starting ${name}`);
    const releases = this.#builder.stores().map(holdStore);
    const connected = await this.#attempt(() => this.#unlessAborted(() => this.#builder.connect()));
    if (connected) {
      await this.#attempt(() => this.#unlessAborted(() => this.#lease()));
      if (this.#leases) await this.#attempt(() => this.#unlessAborted(() => this.#build()));
      await this.#abandoned;
      // Somebody else is at work on the target: there is nothing of ours to clean up in it.
      if (!(this.#failure?.error instanceof TargetBusyError))
        await this.#attempt(() => this.#unlessHanging(() => this.#finalize()));
      await this.#attempt(() =>
        this.#unlessHanging(async () => this.#leases?.[Symbol.asyncDispose]()),
      );
    }
    await this.#close(releases);
    const report = this.#monitor.ended(this.#status, this.#failure?.error);
    logger.info(`Ended ${name}: ${report.status}, ${report.processed} items processed`);
    if (signal?.aborted) throw new BuildAbortedError(report, signal.reason);
    if (this.#failure) throw new BuildFailedError(report, this.#failure.error);
    return report;
  }

  get #status(): BuildStatus {
    if (this.#context.signal?.aborted) return 'cancelled';
    if (this.#failure) return 'failed';
    return this.#stopped ? 'cancelled' : 'succeeded';
  }

  async #lease(): Promise<void> {
    const { targetLease: mode, run, logger, signal } = this.#context;
    const { targets, constructor: builder } = this.#builder;
    const leases = await TargetLeases.take(targets, {
      ...{ mode, logger },
      owner: run === undefined ? builder.name : `${builder.name} of run ${run}`,
      isOnlyOne: run !== undefined,
    });
    // Nobody waits for it any more.
    if (signal?.aborted) await leases[Symbol.asyncDispose]();
    else this.#leases = leases;
  }

  async #build(): Promise<void> {
    if (this.#stopped) return;
    await using work = this.#context.createWork();
    this.#work = work;
    await work.run();
  }

  async #finalize(): Promise<void> {
    const isMissing = this.#status === 'succeeded' && this.#work?.isComplete === false;
    const status = isMissing ? 'failed' : this.#status;
    const report = this.#monitor.report(status, this.#failure?.error);
    await this.#builder.finalize({ status, report });
  }

  /** A run closes exactly the stores that it opened, when no other run needs them. */
  async #close(releases: readonly (() => Promise<void>)[]): Promise<void> {
    const { signal } = this.#context;
    const closing = releases.map((release) => this.#attempt(release));
    // After an abort, a store that hangs must not keep the run from ending.
    if (signal?.aborted) await settledWithin(Promise.all(closing), GRACE_MS);
    else await Promise.all(closing);
  }

  /** Carries out a step; the first failure decides the build, later ones are logged. */
  async #attempt(step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      if (this.#failure === undefined) this.#failure = { error };
      else {
        const message = error instanceof Error ? error.message : String(error);
        this.#context.logger.error(`${this.#builder.constructor.name}: ${message}`);
      }
      return false;
    }
  }

  /** Waits for a step that is due also after an abort, but then it must not keep the run from ending. */
  async #unlessHanging(step: () => Promise<void>): Promise<void> {
    if (!this.#context.signal?.aborted) return this.#unlessAborted(step);
    await settledWithin(this.#attempt(step), GRACE_MS);
  }

  /** Waits for a step, or rejects as soon as the signal fires. */
  async #unlessAborted(step: () => Promise<void>): Promise<void> {
    const { signal } = this.#context;
    if (signal === undefined) return step();
    signal.throwIfAborted();
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        this.#abandoned = this.#work?.abandon();
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    const stepping = step();
    // When the signal wins, what the step still does is nobody's concern.
    stepping.catch(() => undefined);
    try {
      await Promise.race([stepping, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
