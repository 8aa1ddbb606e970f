import { assertBoolean, assertNonNegativeInteger } from '../util/assert-option.js';
import type { RetryOptions, RetryPolicy } from './retry-queue.js';
import { resolveRetry } from './retry-queue.js';

/** Options that all processors share. */
export interface ProcessorOptions {
  /**
   * Ends a build at its first failed item; the same as `maxFailures: 0`.
   * @defaultValue `false`
   */
  readonly failFast?: boolean | undefined;
  /**
   * How many items may fail; one more ends the build. What is built by then is written.
   * @defaultValue no limit
   */
  readonly maxFailures?: number | undefined;
  /**
   * Tries failing items again.
   * @defaultValue each item is tried once
   */
  readonly retry?: RetryOptions | undefined;
}

/** @internal */
export interface ResolvedProcessorOptions {
  readonly maxFailures: number;
  readonly retry: RetryPolicy | null;
}

/** @internal */
export function resolveProcessorOptions(options: ProcessorOptions): ResolvedProcessorOptions {
  const { failFast = false, maxFailures, retry } = options;
  assertBoolean('failFast', failFast);
  if (maxFailures !== undefined) assertNonNegativeInteger('maxFailures', maxFailures);
  return {
    maxFailures: failFast ? 0 : (maxFailures ?? Number.POSITIVE_INFINITY),
    retry: resolveRetry(retry),
  };
}
