import { ItemTimeoutError } from '../../errors/builder-errors.js';
import { WorkerLostError } from '../../errors/processor-errors.js';
import { assertStorable } from '../../store/document.js';
import { BatchSizer } from '../batch-sizer.js';
import type { Lane } from '../executor.js';
import { failed } from '../item-runner.js';
import type { Outcome, Unfinished } from '../outcome.js';
import type { Task } from '../task.js';
import { FrameWriter, fromFrame, packingError, toOutcome } from './frame.js';
import type { JobDone, Loss } from './worker-handle.js';
import type { WorkerSlot } from './worker-slot.js';

/** On a machine whose cores are all busy, a worker waits some milliseconds for its next batch. */
const BATCH_MS = 20;

/** What a lane is told. */
export interface WorkerLaneSetup {
  readonly timeoutMs: number | null;
  /** How many workers an item may cost. */
  readonly maxAttempts: number;
  /** Hears of every finished job. */
  readonly onDone: (job: JobDone) => void;
}

/**
 * Processes items in a worker.
 *
 * When the worker dies, the item that it was at is a suspect, to be tried again alone; after a number of attempts it is
 * recorded as failed. The others of its batch are unfinished and nothing is held against them.
 */
export class WorkerLane<Item, Result> implements Lane<Item, Result> {
  readonly #slot: WorkerSlot;
  readonly #setup: WorkerLaneSetup;
  readonly #sizer = new BatchSizer(BATCH_MS);
  readonly #writer = new FrameWriter();

  constructor(slot: WorkerSlot, setup: WorkerLaneSetup) {
    this.#slot = slot;
    this.#setup = setup;
  }

  get appetite(): number {
    return this.#sizer.size;
  }

  async process(tasks: readonly Task<Item>[]): Promise<(Outcome<Result> | Unfinished)[]> {
    const outcomes: (Outcome<Result> | Unfinished)[] = [];
    /** The places in the batch of what is packed. */
    const job: number[] = [];
    for (const [i, task] of tasks.entries()) {
      try {
        pack(task, this.#writer);
        job.push(i);
      } catch (error) {
        outcomes[i] = failed('unserializable', packingError(error), 0);
      }
    }
    if (job.length === 0) return outcomes;
    const end = await this.#slot.run(this.#writer.take());
    if (end.kind === 'done') {
      this.#setup.onDone(end);
      this.#sizer.record(job.length, end.workMs);
      for (const [step, value] of fromFrame(end.frame).entries())
        outcomes[job[step] as number] = toOutcome(value);
    } else {
      const suspect = job.length === 1 ? 0 : end.loss.step;
      for (const [step, i] of job.entries())
        outcomes[i] =
          step === suspect
            ? this.#judge(tasks[i] as Task<Item>, end.loss)
            : // Where nobody knows who it was, each is tried alone.
              { kind: 'unfinished', wasLost: false, isSuspect: suspect === null };
    }
    return outcomes;
  }

  #judge(
    { history }: Task<Item>,
    { reason, elapsedMs, problem }: Loss,
  ): Outcome<never> | Unfinished {
    const { timeoutMs, maxAttempts } = this.#setup;
    if (reason === 'timeout' && timeoutMs !== null)
      return failed('timeout', new ItemTimeoutError(timeoutMs), elapsedMs);
    if (history.losses + 1 >= maxAttempts)
      return failed('worker-lost', new WorkerLostError(problem), elapsedMs);
    return { kind: 'unfinished', wasLost: true, isSuspect: true };
  }
}

function pack(task: Task<unknown>, writer: FrameWriter): void {
  if (task.bytes !== null) {
    writer.addRaw(task.bytes);
    return;
  }
  const { item } = task;
  assertStorable(item);
  writer.add(item);
}
