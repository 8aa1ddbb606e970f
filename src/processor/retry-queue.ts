import type { PortableError } from '../errors/error-transfer.js';
import { InvalidOptionError } from '../errors/option-errors.js';
import { assertNonNegativeInteger, assertPositiveInteger } from '../util/assert-option.js';
import { Pulse } from '../util/pulse.js';
import type { Failed } from './outcome.js';
import type { Task } from './task.js';

/** When an item that failed is tried again. */
export interface RetryOptions {
  /**
   * How many times an item is tried in all.
   * @defaultValue `3`
   */
  readonly attempts?: number | undefined;
  /**
   * How long to wait before the second attempt, in milliseconds; twice as long before each further one. Other items are
   * processed meanwhile.
   * @defaultValue `1000`
   */
  readonly delayMs?: number | undefined;
  /**
   * Which errors are worth another attempt: those thrown by the item, and `ItemTimeoutError`.
   * @defaultValue all that the item throws, no time-outs
   */
  readonly on?: ((error: PortableError) => boolean) | undefined;
}

/** Decides on retries. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly delayMs: number;
  isWorth(failure: Failed): boolean;
}

/** @throws {@link InvalidOptionError} for an option that is out of bounds. */
export function resolveRetry(options: RetryOptions | undefined): RetryPolicy | null {
  if (options === undefined) return null;
  const { attempts = 3, delayMs = 1000, on } = options;
  assertPositiveInteger('retry.attempts', attempts);
  assertNonNegativeInteger('retry.delayMs', delayMs);
  if (on !== undefined && typeof on !== 'function')
    throw new InvalidOptionError('retry.on', 'a function of an error', on);
  return {
    attempts,
    delayMs,
    isWorth({ cause, error }) {
      if (cause === 'error') return on === undefined || on(error);
      return cause === 'timeout' && on?.(error) === true;
    },
  };
}

/** Holds items that wait for their next attempt. */
export class RetryQueue<Item> {
  readonly #due: Task<Item>[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #change = new Pulse();

  /** True when nothing waits. */
  get isEmpty(): boolean {
    return this.#timers.size === 0 && this.#due.length === 0;
  }

  /** Adds an item that becomes due after a delay. */
  add(task: Task<Item>, delayMs: number): void {
    if (delayMs === 0) {
      this.#due.push(task);
      this.#change.beat();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.add(task, 0);
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Takes up to `atMost` items that are due; a suspect comes alone. */
  take(atMost: number): Task<Item>[] {
    const suspect = this.#due.findIndex((task) => task.history.isSuspect);
    const count = suspect === 0 ? 1 : Math.min(atMost, suspect > 0 ? suspect : atMost);
    const taken = this.#due.splice(0, count);
    if (taken.length > 0) this.#change.beat();
    return taken;
  }

  /** Forgets everything that waits. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#due.length = 0;
    this.#change.beat();
  }

  /** Resolves when something became due, was taken or forgotten. */
  changed(): Promise<void> {
    return this.#change.next();
  }
}
