import { InvalidOptionError } from '../errors/option-errors.js';
import type { Criteria } from '../query/criteria.js';
import type { Store } from '../store/store.js';
import {
  assertBoolean,
  assertNonEmptyString,
  assertNonNegativeNumber,
  assertOneOf,
} from '../util/assert-option.js';
import type { BuilderOptions } from './builder.js';

/** Options of {@link MapBuilder} and {@link GroupBuilder}. */
export interface IncrementalBuilderOptions extends BuilderOptions {
  /**
   * Which source documents are built; those in the target that it does not match are left alone.
   * @defaultValue `null`: all
   */
  readonly query?: Criteria | null | undefined;
  /**
   * Names of the fields that `unaryFunction` needs; the key and the time stamp come with them.
   * @defaultValue `null`: whole documents
   */
  readonly projection?: readonly string[] | null | undefined;
  /**
   * Removes target documents that have no source any more, after a build that succeeded.
   * @defaultValue `false`
   */
  readonly deleteOrphans?: boolean | undefined;
  /**
   * The largest share of the target that may be orphans, from 0 to 1. When there are more, or the source is empty, which
   * both may come of a wrong name, nothing is removed and the build fails. 1 removes whatever there is.
   * @defaultValue `0.2`
   */
  readonly maxOrphanShare?: number | undefined;
  /**
   * How long one item may take, in seconds; fractions are allowed, 0 or null is no limit.
   * @defaultValue `0`
   */
  readonly timeout?: number | null | undefined;
  /**
   * Writes the time that an item took, in seconds, into its target document as `_process_time`.
   * @defaultValue `true`
   */
  readonly storeProcessTime?: boolean | undefined;
  /**
   * Builds items again that failed before; otherwise they wait until their source changes.
   * @defaultValue `false`
   */
  readonly retryFailed?: boolean | undefined;
  /**
   * What makes an item due: `timestamp`, that its source is newer than its target document; `content`, that what is read
   * of its source, the builder's version or one of its options changed, whatever the time stamps say. A hash of these is
   * then kept in the target document, and every run reads the whole source.
   * @defaultValue `'timestamp'`
   */
  readonly compare?: 'timestamp' | 'content' | undefined;
  /**
   * The field of target documents under which everything goes that the builder adds: `state`, `error`, `_bt`,
   * `_process_time`. The names are then free for your own use.
   * @defaultValue `null`: they are fields of the document, as Python writes them
   */
  readonly metaField?: string | null | undefined;
  /**
   * What happens when several source documents have the same key: the newest counts, with a warning; or the build fails
   * before it begins.
   * @defaultValue `'newest'`
   */
  readonly duplicates?: 'newest' | 'error' | undefined;
  /**
   * What is kept of a failure beside its message: nothing, as Python does; or in the field `_failure` the name of the
   * error, how many times the item was tried, when it failed first and last, and with `stack` where in the code.
   * @defaultValue `'message'`
   */
  readonly failureDetails?: 'message' | 'full' | 'stack' | undefined;
  /**
   * Where results go that the target's validator refused, with what is wrong with them in the field `errors`.
   * @defaultValue `null`: they are only counted
   */
  readonly quarantine?: Store | null | undefined;
}

/** @internal */
export interface ResolvedIncrementalOptions {
  readonly query: Criteria | null;
  readonly projection: readonly string[] | null;
  readonly deleteOrphans: boolean;
  readonly maxOrphanShare: number;
  readonly timeout: number;
  readonly storeProcessTime: boolean;
  readonly retryFailed: boolean;
  readonly compare: 'timestamp' | 'content';
  readonly metaField: string | null;
  readonly failureDetails: 'message' | 'full' | 'stack';
  readonly duplicates: 'newest' | 'error';
}

/** @internal */
export function resolveIncrementalOptions(
  options: IncrementalBuilderOptions,
): ResolvedIncrementalOptions {
  const { deleteOrphans = false, storeProcessTime = true, retryFailed = false } = options;
  const { maxOrphanShare = 0.2, compare = 'timestamp', failureDetails = 'message' } = options;
  const { query, projection, timeout, metaField = null, duplicates = 'newest' } = options;
  assertNonNegativeNumber('timeout', timeout ?? 0);
  assertBoolean('deleteOrphans', deleteOrphans);
  assertBoolean('storeProcessTime', storeProcessTime);
  assertBoolean('retryFailed', retryFailed);
  assertNonNegativeNumber('maxOrphanShare', maxOrphanShare);
  assertOneOf('compare', compare, ['timestamp', 'content']);
  assertOneOf('failureDetails', failureDetails, ['message', 'full', 'stack']);
  assertOneOf('duplicates', duplicates, ['newest', 'error']);
  if (metaField !== null) assertNonEmptyString('metaField', metaField);
  if (projection !== undefined && projection !== null && !Array.isArray(projection))
    throw new InvalidOptionError('projection', 'a list of field names or null', projection);
  return {
    query: query ?? null,
    projection: projection ?? null,
    deleteOrphans,
    maxOrphanShare,
    timeout: timeout ?? 0,
    storeProcessTime,
    retryFailed,
    compare,
    metaField,
    failureDetails,
    duplicates,
  };
}
