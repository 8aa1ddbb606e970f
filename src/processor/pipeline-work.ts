import type { Builder } from '../builder/builder.js';
import type { BuildMonitor } from './build-monitor.js';
import type { BuildWork } from './build-work.js';
import type { Executor } from './executor.js';
import type { PipelineSetup } from './pipeline.js';
import { Pipeline } from './pipeline.js';

/** Work that is done here: a pipeline, and the executor that it has for itself. */
export class PipelineWork implements BuildWork {
  readonly isComplete = true;
  readonly #pipeline: Pipeline<unknown, unknown>;
  readonly #executor: Executor<unknown, unknown>;

  constructor(
    builder: Builder<unknown, unknown>,
    executor: Executor<unknown, unknown>,
    monitor: BuildMonitor,
    setup: PipelineSetup,
  ) {
    this.#executor = executor;
    this.#pipeline = new Pipeline(builder, executor, monitor, setup);
  }

  run(): Promise<void> {
    return this.#pipeline.run();
  }

  halt(): void {
    this.#pipeline.halt();
  }

  async abandon(): Promise<void> {
    this.#pipeline.abandon();
    // Whatever is at work may never end by itself.
    await this.#executor[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#executor[Symbol.asyncDispose]();
  }
}
