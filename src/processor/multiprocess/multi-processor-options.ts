import { availableParallelism } from 'node:os';
import { InvalidOptionError } from '../../errors/option-errors.js';
import { assertOneOf, assertPositiveInteger } from '../../util/assert-option.js';
import type { Isolation } from '../../util/option-values.js';
import { ISOLATIONS, MAX_WORKERS } from '../../util/option-values.js';
import type { ProcessorOptions } from '../processor-options.js';

/** Options of {@link MultiProcessor}. */
export interface MultiProcessorOptions extends ProcessorOptions {
  /**
   * How many items are processed at the same time, each in a worker of its own. Workers are started when there is work
   * for them. More than the machine has cores only helps items that wait.
   * @defaultValue the machine's parallelism
   */
  readonly numWorkers?: number | undefined;
  /**
   * `thread`: light, and enough for nearly everything. `process`: for code that blocks in system calls, crashes
   * natively, leaks outside of the heap or changes the state of its process.
   * @defaultValue `'thread'`
   */
  readonly isolation?: Isolation | undefined;
  /**
   * How much memory a worker may use, in MB: of its heap in a thread, in all in a process. One that needs more is
   * ended, as if it had died.
   * @defaultValue Node's own limit
   */
  readonly maxWorkerMemoryMb?: number | undefined;
  /**
   * How many workers an item may cost before it is recorded as failed.
   * @defaultValue `3`
   */
  readonly maxAttempts?: number | undefined;
}

/** @internal */
export interface ResolvedMultiProcessorOptions {
  readonly numWorkers: number;
  readonly isolation: Isolation;
  readonly maxWorkerMemoryMb: number | null;
  readonly maxAttempts: number;
}

/** @internal */
export function resolveMultiProcessorOptions(
  options: MultiProcessorOptions,
): ResolvedMultiProcessorOptions {
  const {
    numWorkers = availableParallelism(),
    isolation = 'thread',
    maxWorkerMemoryMb,
    maxAttempts = 3,
  } = options;
  assertPositiveInteger('numWorkers', numWorkers);
  if (numWorkers > MAX_WORKERS)
    throw new InvalidOptionError('numWorkers', `at most ${MAX_WORKERS}`, numWorkers);
  assertOneOf('isolation', isolation, ISOLATIONS);
  if (maxWorkerMemoryMb !== undefined)
    assertPositiveInteger('maxWorkerMemoryMb', maxWorkerMemoryMb);
  assertPositiveInteger('maxAttempts', maxAttempts);
  return { numWorkers, isolation, maxWorkerMemoryMb: maxWorkerMemoryMb ?? null, maxAttempts };
}
