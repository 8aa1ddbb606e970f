import type { Builder } from '../../builder/builder.js';
import { ItemTimeoutError } from '../../errors/builder-errors.js';
import { toPortable } from '../../errors/error-transfer.js';
import { assertStorable } from '../../store/document.js';
import { BatchSizer } from '../batch-sizer.js';
import type { Lane } from '../executor.js';
import type { Failed, Outcome } from '../outcome.js';

/**
 * Processes items in this thread, one after the other.
 *
 * A time limit is enforced as far as one thread can: an item that awaits is recorded when its time is over, one that
 * blocks when it returns. An endless loop cannot be stopped here.
 */
export class SerialLane<Item, Result> implements Lane<Item, Result> {
  readonly #builder: Builder<Item, Result>;
  readonly #timeoutMs: number;
  readonly #sizer = new BatchSizer();

  constructor(builder: Builder<Item, Result>) {
    this.#builder = builder;
    this.#timeoutMs = builder.itemTimeoutMs() ?? Number.POSITIVE_INFINITY;
  }

  get appetite(): number {
    return this.#sizer.size;
  }

  async process(items: readonly Item[], halted: () => boolean): Promise<Outcome<Result>[]> {
    const started = performance.now();
    const outcomes: Outcome<Result>[] = [];
    for (const item of items) {
      const outcome = this.#attempt(item);
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

  #attempt(item: Item): Outcome<Result> | Promise<Outcome<Result>> {
    const started = performance.now();
    try {
      const result = this.#builder.processItem(item);
      return isThenable(result) ? this.#awaited(result, started) : this.#judge(result, started);
    } catch (error) {
      return failed('error', error, started);
    }
  }

  async #awaited(
    result: PromiseLike<Result | null | undefined>,
    started: number,
  ): Promise<Outcome<Result>> {
    let timer: NodeJS.Timeout | undefined;
    const expiry = new Promise<'expired'>((resolve) => {
      if (Number.isFinite(this.#timeoutMs))
        timer = setTimeout(resolve, this.#timeoutMs, 'expired' as const);
    });
    try {
      const settled = await Promise.race([result.then((value) => ({ value })), expiry]);
      return settled === 'expired' ? this.#expired(started) : this.#judge(settled.value, started);
    } catch (error) {
      return failed('error', error, started);
    } finally {
      clearTimeout(timer);
    }
  }

  #judge(result: Result | null | undefined, started: number): Outcome<Result> {
    if (performance.now() - started > this.#timeoutMs) return this.#expired(started);
    if (result === null || result === undefined) return { kind: 'skipped' };
    try {
      assertStorable(result);
    } catch (error) {
      return failed('unserializable', error, started);
    }
    return { kind: 'done', result };
  }

  #expired(started: number): Failed {
    return failed('timeout', new ItemTimeoutError(this.#timeoutMs), started);
  }
}

function failed(cause: Failed['cause'], error: unknown, started: number): Failed {
  return {
    kind: 'failed',
    cause,
    attempts: 1,
    durationMs: performance.now() - started,
    error: toPortable(error),
  };
}

const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';
