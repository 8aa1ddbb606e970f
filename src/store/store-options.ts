import { InvalidOptionError } from '../errors/option-errors.js';
import type { Criteria } from '../query/criteria.js';
import type { Projection } from '../query/projection.js';
import type { SortSpec } from '../query/sort.js';
import { assertNonEmptyString, assertOneOf } from '../util/assert-option.js';
import type { Validator } from './validator.js';

/** How a store writes its time stamps: as dates, or as ISO 8601 text. Reading understands both. */
export type LastUpdatedType = 'datetime' | 'isoformat';
const LAST_UPDATED_TYPES: readonly LastUpdatedType[] = ['datetime', 'isoformat'];

/** Options that every store has. */
export interface StoreOptions {
  /**
   * The field that identifies a document; dotted for a nested one.
   * @defaultValue `'task_id'`
   */
  readonly key?: string | undefined;
  /**
   * The field with the time of a document's last change; dotted for a nested one.
   * @defaultValue `'last_updated'`
   */
  readonly lastUpdatedField?: string | undefined;
  /**
   * How builders write that time into this store.
   * @defaultValue `'datetime'`
   */
  readonly lastUpdatedType?: LastUpdatedType | undefined;
  /**
   * Refuses documents that must not be stored.
   * @defaultValue `null`: everything is accepted
   */
  readonly validator?: Validator | null | undefined;
}

/** Options of {@link Store.query}. */
export interface QueryOptions {
  /** Names of the fields to return (`_id` comes with them), or a MongoDB projection. */
  readonly properties?: readonly string[] | Projection | undefined;
  /** Fields to sort by, first one first; `1` ascending, `-1` descending. */
  readonly sort?: SortSpec | undefined;
  /**
   * How many documents to pass over, after sorting.
   * @defaultValue `0`
   */
  readonly skip?: number | undefined;
  /**
   * How many documents to return at most; 0 for all.
   * @defaultValue `0`
   */
  readonly limit?: number | undefined;
  /** The index to use, where the backend takes such a hint; others ignore it. */
  readonly hint?: string | Readonly<Record<string, 1 | -1>> | undefined;
  /** Ends the query when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Store.update}. */
export interface UpdateOptions {
  /**
   * The field or fields that say which stored document is replaced.
   * @defaultValue the store's `key`
   */
  readonly key?: string | readonly string[] | undefined;
  /**
   * False stores documents without asking the validator, as failure records are.
   * @defaultValue `true`
   */
  readonly validate?: boolean | undefined;
}

/** Options of {@link Store.newerIn}. */
export interface NewerInOptions {
  /** Only these documents of the other store are looked at. */
  readonly criteria?: Criteria | undefined;
  /**
   * True compares document by document; false takes what is newer than this store's newest, which is
   * faster and misses documents that are absent here but old.
   * @defaultValue `true`
   */
  readonly exhaustive?: boolean | undefined;
}

/** A document that was not stored, and why. */
export interface Refusal {
  readonly key: unknown;
  readonly reason: string;
  /** What the validator said, each as `path: message`. */
  readonly paths?: readonly string[];
}

/** What came of an {@link Store.update}. */
export interface UpdateResult {
  /** How many documents were stored. */
  readonly written: number;
  /** Those that were not. */
  readonly refused: readonly Refusal[];
}

/** @internal */
export interface ResolvedStoreOptions {
  readonly key: string;
  readonly lastUpdatedField: string;
  readonly lastUpdatedType: LastUpdatedType;
  readonly validator: Validator | null;
}

/** @internal */
export function resolveStoreOptions(options: StoreOptions): ResolvedStoreOptions {
  const {
    key = 'task_id',
    lastUpdatedField = 'last_updated',
    lastUpdatedType = 'datetime',
    validator = null,
  } = options;
  assertNonEmptyString('key', key);
  assertNonEmptyString('lastUpdatedField', lastUpdatedField);
  assertOneOf('lastUpdatedType', lastUpdatedType, LAST_UPDATED_TYPES);
  if (validator !== null && typeof validator?.isValid !== 'function')
    throw new InvalidOptionError('validator', 'a Validator or null', validator);
  return { key, lastUpdatedField, lastUpdatedType, validator };
}
