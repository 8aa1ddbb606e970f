import { setImmediate, setTimeout } from 'node:timers/promises';

/** Lets timers, signals and I/O have their turn. */
export const nextTurn = (): Promise<void> => setImmediate(undefined);

/**
 * Waits for a promise, but not longer than a time. Whether it was settled by then is not told.
 *
 * @param promise - Must not reject.
 * @param ms - The longest wait, in milliseconds.
 */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController();
  const expiry = setTimeout(ms, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([promise, expiry]);
  timer.abort();
}
