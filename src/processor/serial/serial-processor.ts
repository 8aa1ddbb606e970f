import type { Builder } from '../../builder/builder.js';
import type { Executor } from '../executor.js';
import { Processor } from '../processor.js';
import { SerialLane } from './serial-lane.js';

/**
 * Runs builders in this thread: fetching, processing and writing overlap, items are processed one after the other.
 *
 * @example
 * ```ts
 * const processor = new SerialProcessor({ maxFailures: 10 });
 * processor.on('UPDATE', ({ items }) => console.log(`writing ${items}`));
 * const report = await processor.run(builder);
 * ```
 */
export class SerialProcessor extends Processor {
  protected override createExecutor<Item, Result>(
    builder: Builder<Item, Result>,
  ): Executor<Item, Result> {
    return {
      lanes: [new SerialLane(builder)],
      prefersBytes: false,
      async [Symbol.asyncDispose]() {},
    };
  }
}
