import { BuildAbortedError, BuildFailedError } from '../builder/build-errors.js';
import type { BuildReport, BuildStatus } from '../builder/build-report.js';
import type { Builder } from '../builder/builder.js';
import { registerSecretsOf } from '../msonable/secrets.js';
import type { Store } from '../store/store.js';
import { settledWithin } from '../util/turn.js';
import type { BuildMonitor } from './build-monitor.js';
import type { Executor } from './executor.js';
import type { PipelineSetup } from './pipeline.js';
import { Pipeline } from './pipeline.js';

/** How long finalizing, and closing a store, may take after an abort. */
const GRACE_MS = 2000;

/** What a run needs from its processor. */
export interface BuildRunContext extends PipelineSetup {
  readonly createExecutor: () => Executor<unknown, unknown>;
  readonly signal: AbortSignal | undefined;
}

/**
 * One build from its start to its end: connect, the stages, finalize, close.
 *
 * Whatever fails on the way, each later step that is still due is carried out, and `BUILD_ENDED` comes once.
 */
export class BuildRun {
  readonly #builder: Builder<unknown, unknown>;
  readonly #monitor: BuildMonitor;
  readonly #context: BuildRunContext;
  #pipeline: Pipeline<unknown, unknown> | undefined;
  #abandon = () => {};
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
    this.#pipeline?.halt();
  }

  /** @throws {@link BuildFailedError} or {@link BuildAbortedError}, with the report. */
  async execute(): Promise<BuildReport> {
    const { logger, signal } = this.#context;
    const name = this.#builder.constructor.name;
    registerSecretsOf(this.#builder);
    logger.info(`Starting ${name}`);
    const closed = this.#builder.stores().filter((store) => !store.connected);
    const connected = await this.#attempt(() => this.#unlessAborted(() => this.#builder.connect()));
    if (connected) {
      await this.#attempt(() => this.#unlessAborted(() => this.#build()));
      await this.#abandoned;
      await this.#attempt(() => this.#unlessHanging(() => this.#finalize()));
    }
    await this.#close(closed);
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

  async #build(): Promise<void> {
    if (this.#stopped) return;
    await using executor = this.#context.createExecutor();
    const pipeline = new Pipeline(this.#builder, executor, this.#monitor, this.#context);
    this.#pipeline = pipeline;
    this.#abandon = () => {
      pipeline.abandon();
      // Whatever is at work may never end by itself.
      this.#abandoned = Promise.resolve(executor[Symbol.asyncDispose]());
    };
    await pipeline.run();
  }

  async #finalize(): Promise<void> {
    const status = this.#status;
    const report = this.#monitor.report(status, this.#failure?.error);
    await this.#builder.finalize({ status, report });
  }

  /** A run closes exactly the stores that it opened. */
  async #close(stores: readonly Store[]): Promise<void> {
    const { signal } = this.#context;
    const closing = stores.map((store) => this.#attempt(() => store.close()));
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
        this.#abandon();
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
