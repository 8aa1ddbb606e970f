import { assertBoolean, assertNonNegativeInteger, assertOneOf } from '../util/assert-option.js';
import type { RetryOptions, RetryPolicy } from './retry-queue.js';
import { resolveRetry } from './retry-queue.js';
import type { TargetLeaseMode } from './target-leases.js';

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
  /**
   * Lets one build at a time write into a target, in any process that sees it: a second one fails with
   * {@link TargetBusyError}. `'steal'` takes a target over from whoever has it; one whose process is gone is taken over
   * anyway, at once on the same machine and in the same container, after 90 s elsewhere.
   * @defaultValue `true`
   */
  readonly targetLease?: boolean | 'steal' | undefined;
}

/** @internal */
export interface ResolvedProcessorOptions {
  readonly targetLease: TargetLeaseMode;
  readonly maxFailures: number;
  readonly retry: RetryPolicy | null;
}

/** @internal */
export function resolveProcessorOptions(options: ProcessorOptions): ResolvedProcessorOptions {
  const { failFast = false, maxFailures, retry, targetLease = true } = options;
  assertBoolean('failFast', failFast);
  if (maxFailures !== undefined) assertNonNegativeInteger('maxFailures', maxFailures);
  assertOneOf('targetLease', targetLease, [true, false, 'steal']);
  return {
    targetLease,
    maxFailures: failFast ? 0 : (maxFailures ?? Number.POSITIVE_INFINITY),
    retry: resolveRetry(retry),
  };
}
