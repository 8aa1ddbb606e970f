import type { AnyBuilder, Builder } from '../builder/builder.js';
import type { Executor } from '../processor/executor.js';
import { MultiProcessor } from '../processor/multiprocess/multi-processor.js';
import type { MultiProcessorOptions } from '../processor/multiprocess/multi-processor-options.js';
import { SerialProcessor } from '../processor/serial/serial-processor.js';

/** Lends its executors; it runs nothing itself. */
class ThisThread extends SerialProcessor {
  override createExecutor<Item, Result>(builder: Builder<Item, Result>): Executor<Item, Result> {
    return super.createExecutor(builder);
  }
}

/** Processes the items of some builders in workers, those of the others in this thread. */
export class MixedProcessor extends MultiProcessor {
  readonly #thisThread = new ThisThread();
  readonly #needsWorkers: (builder: AnyBuilder) => boolean;

  constructor(options: MultiProcessorOptions, needsWorkers: (builder: AnyBuilder) => boolean) {
    super(options);
    this.#needsWorkers = needsWorkers;
  }

  protected override createExecutor<Item, Result>(
    builder: Builder<Item, Result>,
  ): Executor<Item, Result> {
    return this.#needsWorkers(builder)
      ? super.createExecutor(builder)
      : this.#thisThread.createExecutor(builder);
  }
}
