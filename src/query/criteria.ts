import { InvalidQueryError } from '../errors/query-errors.js';
import { searchWithin } from './bounded-regex.js';
import { isDocument } from './bson-kind.js';
import { cloneValue } from './clone.js';
import type { Doc } from './document.js';
import type { ValueRange } from './index-bounds.js';
import { indexBoundsOf } from './index-bounds.js';
import { compileCriteria } from './match-document.js';
import { Place } from './place.js';

/**
 * Conditions on documents in MongoDB's query language; `{}` matches every document.
 *
 * Under a field name (or a dotted path) stands a value to be equal to, a regular expression, or
 * operators: `$eq $ne $gt $gte $lt $lte $in $nin $not $exists $type $mod $regex $options $size $all
 * $elemMatch $bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear`. Beside fields may stand `$and
 * $or $nor $expr $comment`. A field given as `undefined` means null, as the MongoDB driver sends
 * it.
 *
 * @example
 * ```ts
 * const criteria: Criteria = { state: { $in: ['done', 'failed'] }, 'run.hours': { $gt: 2 } };
 * ```
 */
export type Criteria = Record<string, unknown>;

/** Criteria that have been checked and compiled. */
export interface Filter {
  /** A copy of the criteria; what happens to the caller's object later does not count. */
  readonly criteria: Criteria;

  /** True when the document satisfies the criteria. The document is never changed. */
  matches(doc: Doc): boolean;

  /**
   * For paths that must equal one of some values: those values, for a look-up in an index.
   *
   * Each document that matches has, at each of these paths, one of the values listed (itself, or as
   * an element of an array, see `valuesAt`). The reverse does not hold: put what the index finds to
   * `matches` again. Paths that may be null or missing, that equal an array, or that a regular
   * expression searches are left out. An empty list means that nothing can match.
   */
  readonly equalities: ReadonlyMap<string, readonly unknown[]>;

  /**
   * For paths that are compared by order: the bounds, which themselves are allowed.
   *
   * Each document that matches has at the path a value of the bound's kind (itself, or as an element of an array) that
   * is not below `lower`, and one, perhaps another element, that is not above `upper`. Put what the index finds to
   * `matches` again.
   */
  readonly ranges: ReadonlyMap<string, ValueRange>;

  /**
   * How many milliseconds a regular expression may take on one text, here and in a projection of what is found.
   * @defaultValue `null`: no limit
   */
  readonly regexTimeoutMs?: number | null | undefined;
}

/** Options of {@link compileFilter}. */
export interface FilterOptions {
  /**
   * How many milliseconds a regular expression may take on one text; for filters from strangers.
   * @defaultValue `null`: no limit
   */
  readonly regexTimeoutMs?: number | null | undefined;
}

/**
 * Checks criteria and compiles them into a test that is fast to repeat.
 *
 * @param criteria - Conditions in the query language; `{}` matches everything.
 * @param options - A limit for regular expressions.
 * @throws {@link InvalidQueryError} for whatever MongoDB refuses, naming the place, and for
 * operators that run code (`$where`, `$function`).
 */
export function compileFilter(criteria: Criteria, options: FilterOptions = {}): Filter {
  if (!isDocument(criteria)) throw new InvalidQueryError('$', 'criteria must be an object');
  const copy = cloneValue(criteria);
  const { regexTimeoutMs = null } = options;
  const matches = compileCriteria(copy, new Place(compileCriteria, searchWithin(regexTimeoutMs)));
  return Object.freeze({ criteria: copy, matches, ...indexBoundsOf(copy), regexTimeoutMs });
}
