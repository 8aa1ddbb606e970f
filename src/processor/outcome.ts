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
  readonly durationMs: number;
  readonly error: PortableError;
}

/** An item that must be done again, because whoever worked on its batch was lost. */
export interface Unfinished {
  readonly kind: 'unfinished';
  /** It was at work when that happened. */
  readonly wasLost: boolean;
  /** It may have been the reason, so that it is tried alone. */
  readonly isSuspect: boolean;
}
