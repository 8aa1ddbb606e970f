import { Kind, kindOf } from './bson-kind.js';
import { compareValues } from './compare.js';
import { isOperatorObject } from './operator-object.js';

/** What bounds the values at a path; a bound itself is allowed. */
export interface ValueRange {
  readonly lower?: unknown;
  readonly upper?: unknown;
}

/** What criteria say about single paths, for a look-up in an index. */
export interface IndexBounds {
  readonly equalities: ReadonlyMap<string, readonly unknown[]>;
  readonly ranges: ReadonlyMap<string, ValueRange>;
}

/**
 * Collects, from valid criteria, what each document that matches must have at a path.
 *
 * Where a path must equal one of some values more than once, the shortest list is taken: an array may satisfy each
 * condition by another element, so that the lists cannot be intersected.
 */
export function indexBoundsOf(criteria: object): IndexBounds {
  const equalities = new Map<string, readonly unknown[]>();
  const ranges = new Map<string, ValueRange>();
  for (const [path, operand] of conditionsIn(criteria)) {
    for (const values of listsIn(operand)) {
      const known = equalities.get(path);
      if (values.every(isIndexable) && !(known && known.length <= values.length))
        equalities.set(path, values);
    }
    if (!isOperatorObject(operand)) continue;
    const range = tighten(ranges.get(path) ?? {}, operand);
    if (Object.keys(range).length > 0) ranges.set(path, range);
  }
  return { equalities, ranges };
}

/** The conditions on fields that all must hold. */
function* conditionsIn(criteria: object): Generator<readonly [string, unknown], void, undefined> {
  for (const [name, operand] of Object.entries(criteria)) {
    if (name === '$and') for (const part of operand) yield* conditionsIn(part);
    else if (!name.startsWith('$')) yield [name, operand];
  }
}

/** The lists of values that a field condition allows. */
function listsIn(operand: unknown): readonly (readonly unknown[])[] {
  if (!isOperatorObject(operand)) return [[operand]];
  const lists: (readonly unknown[])[] = [];
  if (Object.hasOwn(operand, '$eq')) lists.push([operand['$eq']]);
  if (Object.hasOwn(operand, '$in')) lists.push(operand['$in'] as readonly unknown[]);
  return lists;
}

function tighten(range: ValueRange, operators: Record<string, unknown>): ValueRange {
  let tighter = range;
  for (const name of ['$gt', '$gte']) {
    const value = operators[name];
    if (Object.hasOwn(operators, name) && isOrdered(value) && isTighter(value, tighter.lower, 1))
      tighter = { ...tighter, lower: value };
  }
  for (const name of ['$lt', '$lte']) {
    const value = operators[name];
    if (Object.hasOwn(operators, name) && isOrdered(value) && isTighter(value, tighter.upper, -1))
      tighter = { ...tighter, upper: value };
  }
  return tighter;
}

function isTighter(value: unknown, known: unknown, direction: 1 | -1): boolean {
  return known === undefined || compareValues(value, known) * direction > 0;
}

/** Null matches what is missing, a regular expression matches text, an array is matched whole. */
function isIndexable(value: unknown): boolean {
  const kind = kindOf(value);
  return kind !== Kind.Null && kind !== Kind.RegExp && kind !== Kind.Array;
}

const ORDERED: ReadonlySet<Kind> = new Set<Kind>([
  Kind.Number,
  Kind.String,
  Kind.ObjectId,
  Kind.Date,
  Kind.Timestamp,
]);

/** Values of these kinds are matched by nothing but greater and smaller ones of the same kind. NaN has no order. */
function isOrdered(value: unknown): boolean {
  return ORDERED.has(kindOf(value)) && !Number.isNaN(value);
}
