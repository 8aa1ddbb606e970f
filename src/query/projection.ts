import { InvalidQueryError } from '../errors/query-errors.js';
import { searchWithin } from './bounded-regex.js';
import { isDocument } from './bson-kind.js';
import { cloneValue } from './clone.js';
import type { Filter } from './criteria.js';
import type { Doc } from './document.js';
import { compilePositions } from './positional.js';
import type { ProjectionContext } from './projection-apply.js';
import { applyExclusion, applyInclusion } from './projection-apply.js';
import { parseProjection } from './projection-parse.js';

/**
 * Which fields of a document to return, in MongoDB's language for projections of `find`.
 *
 * `1` includes a field, `0` leaves one out; only `_id` may be treated differently from the rest.
 * Under a name may also stand `$slice`, `$elemMatch`, a nested document, or an expression
 * (`'$other.field'`); a name that ends in `.$` returns the array element that the filter found.
 */
export type Projection = Record<string, unknown>;

/** A projection that has been checked and compiled. */
export interface CompiledProjection {
  /** The projection as a document, also where a list was given. */
  readonly spec: Projection;

  /**
   * Returns what the projection leaves of a document; the document is not changed.
   *
   * The result shares nested values with the document, and may be the document: whoever hands it on
   * clones it first.
   */
  apply(doc: Doc): Doc;
}

/**
 * Checks a projection and compiles it.
 *
 * A list of names includes these fields and `_id`; a name inside another one adds nothing. An empty
 * list, as an empty document, returns everything. Fields keep the order of the document; computed
 * ones and `$elemMatch` come last. Source: MongoDB manual, "Project Fields to Return from Query".
 *
 * @param properties - Names, or a projection.
 * @param filter - What found the documents; needed for `.$` only. Its limit for regular expressions holds here, too.
 * @throws {@link InvalidQueryError} for a mixture of inclusion and exclusion, for colliding paths,
 * for `.$` without a filter, and for operators that a projection does not have. `apply` throws it
 * when `.$` finds no element.
 */
export function compileProjection(
  properties: readonly string[] | Projection,
  filter?: Filter,
): CompiledProjection {
  const spec = isList(properties) ? fromList(properties) : cloneValue(properties);
  if (!isDocument(spec)) throw new InvalidQueryError('projection', 'expected names or an object');
  if (Object.keys(spec).length === 0) return Object.freeze({ spec, apply: (doc: Doc) => doc });
  const { mode, root, positional } = parseProjection(spec, searchWithin(filter?.regexTimeoutMs));
  const positionIn = positional === undefined ? undefined : positionFinder(positional, filter);
  const applyTree = mode === 'include' ? applyInclusion : applyExclusion;
  return Object.freeze({
    spec,
    apply(doc: Doc): Doc {
      const context: ProjectionContext = { doc, positionIn };
      return applyTree(doc, root, context);
    },
  });
}

function isList(properties: readonly string[] | Projection): properties is readonly string[] {
  return Array.isArray(properties);
}

function fromList(names: readonly string[]): Projection {
  const all = new Set(names);
  const spec: [string, 1][] = [];
  for (const name of all) {
    if (typeof name !== 'string')
      throw new InvalidQueryError('projection', 'names must be strings');
    if (!isInsideAny(name, all)) spec.push([name, 1]);
  }
  return Object.fromEntries(spec);
}

function isInsideAny(name: string, names: ReadonlySet<string>): boolean {
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    if (names.has(name.slice(0, dot))) return true;
  }
  return false;
}

function positionFinder(path: string, filter: Filter | undefined): (doc: Doc) => number {
  if (!filter) throw new InvalidQueryError(`projection.${path}.$`, 'it needs a filter');
  const find = compilePositions(filter.criteria, path, searchWithin(filter.regexTimeoutMs));
  return (doc) => {
    const position = find(doc);
    if (position >= 0) return position;
    throw new InvalidQueryError(`projection.${path}.$`, 'the filter did not find an array element');
  };
}
