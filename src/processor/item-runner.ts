import type { FailureCause } from '../builder/build-report.js';
import type { Builder } from '../builder/builder.js';
import { ItemTimeoutError } from '../errors/builder-errors.js';
import { toPortable } from '../errors/error-transfer.js';
import { assertStorable } from '../store/document.js';
import type { Failed, Outcome } from './outcome.js';

/**
 * Processes items in this thread, one at a time.
 *
 * A time limit is enforced as far as one thread can: an item that awaits is recorded when its time is over, one that
 * blocks when it returns. An endless loop cannot be stopped here.
 */
export class ItemRunner<Item, Result> {
  readonly #builder: Builder<Item, Result>;
  readonly #timeoutMs: number;

  constructor(builder: Builder<Item, Result>) {
    this.#builder = builder;
    this.#timeoutMs = builder.itemTimeoutMs() ?? Number.POSITIVE_INFINITY;
  }

  /** Processes an item; the outcome is a promise only when `processItem` returned one. It never rejects. */
  run(item: Item): Outcome<Result> | Promise<Outcome<Result>> {
    const started = performance.now();
    try {
      const result = this.#builder.processItem(item);
      return isThenable(result) ? this.#awaited(result, started) : this.#judge(result, started);
    } catch (error) {
      return failed('error', error, performance.now() - started);
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
      const settled = await Promise.race([
        Promise.resolve(result).then((value) => ({ value })),
        expiry,
      ]);
      return settled === 'expired' ? this.#expired(started) : this.#judge(settled.value, started);
    } catch (error) {
      return failed('error', error, performance.now() - started);
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
      return failed('unserializable', error, performance.now() - started);
    }
    return { kind: 'done', result };
  }

  #expired(started: number): Failed {
    return failed('timeout', new ItemTimeoutError(this.#timeoutMs), performance.now() - started);
  }
}

/**
 * The outcome of an item that failed.
 *
 * @param error - What was thrown.
 * @param durationMs - How long it took, in milliseconds.
 */
export function failed(cause: FailureCause, error: unknown, durationMs: number): Failed {
  return { kind: 'failed', cause, durationMs, error: toPortable(error) };
}

const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';
