import { assertBoolean, assertNonNegativeInteger } from '../util/assert-option.js';

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
}

/** @internal */
export interface ResolvedProcessorOptions {
  readonly maxFailures: number;
}

/** @internal */
export function resolveProcessorOptions(options: ProcessorOptions): ResolvedProcessorOptions {
  const { failFast = false, maxFailures } = options;
  assertBoolean('failFast', failFast);
  if (maxFailures !== undefined) assertNonNegativeInteger('maxFailures', maxFailures);
  return { maxFailures: failFast ? 0 : (maxFailures ?? Number.POSITIVE_INFINITY) };
}
