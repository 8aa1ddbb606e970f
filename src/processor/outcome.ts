import type { FailureCause } from '../builder/build-report.js';
import type { PortableError } from '../errors/error-transfer.js';

/** What came of one item. */
export type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'skipped' }
  | Failed;

/** An item that was not built; see {@link ItemFailure}. */
export interface Failed {
  readonly kind: 'failed';
  readonly cause: FailureCause;
  readonly attempts: number;
  readonly durationMs: number;
  readonly error: PortableError;
}
