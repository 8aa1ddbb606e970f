import type { Builder } from '../../builder/builder.js';
import { BatchSizer } from '../batch-sizer.js';
import type { Lane } from '../executor.js';
import { ItemRunner } from '../item-runner.js';
import type { Outcome } from '../outcome.js';
import type { Task } from '../task.js';

/** Other code of this thread waits for no longer. */
const BATCH_MS = 10;

/** Processes items in this thread, one after the other. */
export class SerialLane<Item, Result> implements Lane<Item, Result> {
  readonly #runner: ItemRunner<Item, Result>;
  readonly #sizer = new BatchSizer(BATCH_MS);

  constructor(builder: Builder<Item, Result>) {
    this.#runner = new ItemRunner(builder);
  }

  get appetite(): number {
    return this.#sizer.size;
  }

  async process(tasks: readonly Task<Item>[], halted: () => boolean): Promise<Outcome<Result>[]> {
    const started = performance.now();
    const outcomes: Outcome<Result>[] = [];
    for (const { item } of tasks) {
      const outcome = this.#runner.run(item);
      if (!(outcome instanceof Promise)) outcomes.push(outcome);
      else {
        outcomes.push(await outcome);
        // Only while awaiting can anything have happened.
        if (halted()) break;
      }
    }
    this.#sizer.record(outcomes.length, performance.now() - started);
    return outcomes;
  }
}
