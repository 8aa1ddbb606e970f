import type { Builder } from '../../builder/builder.js';
import { NestedRunError } from '../../errors/processor-errors.js';
import { workerState } from '../../util/inside-worker.js';
import { lowestLevelWanted } from '../../util/log-sink.js';
import type { Executor } from '../executor.js';
import { Processor } from '../processor.js';
import { shipBuilder } from './builder-shipment.js';
import { relog } from './log-line.js';
import type {
  MultiProcessorOptions,
  ResolvedMultiProcessorOptions,
} from './multi-processor-options.js';
import { resolveMultiProcessorOptions } from './multi-processor-options.js';
import type { WorkerInput } from './worker-entry.js';
import { WorkerLane } from './worker-lane.js';
import { WorkerProcess } from './worker-process.js';
import type { WorkerSource } from './worker-slot.js';
import { WorkerSlot } from './worker-slot.js';
import { WorkerThread } from './worker-thread.js';

/**
 * Runs builders with their items processed by workers on all cores; fetching and writing stay in this thread.
 *
 * The builder reaches a worker as the plain form that `dumpfn` writes, so its class must be decorated, and exported by a
 * module that can be imported. Items and results cross as BSON. Results are written in the order in which they are
 * ready, unless the builder is `ordered`.
 *
 * The time limit of a builder is hard: a worker that exceeds it is ended and replaced. An item whose worker dies is
 * tried again alone and recorded after `maxAttempts`; all other items are built.
 *
 * @example
 * ```ts
 * const processor = new MultiProcessor({ numWorkers: 4 });
 * const report = await processor.run(builder);
 * ```
 */
export class MultiProcessor extends Processor {
  readonly #options: ResolvedMultiProcessorOptions;

  /** @throws {@link InvalidOptionError} for an option that is out of bounds. */
  constructor(options: MultiProcessorOptions = {}) {
    super(options);
    this.#options = resolveMultiProcessorOptions(options);
  }

  protected override createExecutor<Item, Result>(
    builder: Builder<Item, Result>,
  ): Executor<Item, Result> {
    const name = builder.constructor.name;
    if (workerState() !== undefined) throw new NestedRunError(name);
    const { numWorkers, isolation, maxWorkerMemoryMb, maxAttempts } = this.#options;
    const timeoutMs = builder.itemTimeoutMs();
    const data: WorkerInput = {
      shipment: shipBuilder(builder),
      lowestLevel: lowestLevelWanted(),
    };
    const Worker = isolation === 'thread' ? WorkerThread : WorkerProcess;
    const source: WorkerSource = {
      open: (listener) =>
        new Worker({ data, stepLimitMs: timeoutMs, memoryMb: maxWorkerMemoryMb }, listener),
      startDeaths: 0,
      wasReady: false,
      onLog: relog,
      onLost: ({ problem }) =>
        this.logger.info(`A worker ${problem}: its items are done again by another one`),
    };
    const slots = Array.from({ length: numWorkers }, () => new WorkerSlot(source));
    const onDone = (logged: { errors: number; warnings: number }) => builder.logger.count(logged);
    return {
      lanes: slots.map((slot) => new WorkerLane(slot, { timeoutMs, maxAttempts, onDone })),
      prefersBytes: true,
      async [Symbol.asyncDispose]() {
        await Promise.all(slots.map((slot) => slot.close()));
      },
    };
  }
}
