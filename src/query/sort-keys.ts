import { isDocument, Kind, kindOf } from './bson-kind.js';
import { compareValues } from './compare.js';
import { isIndex, readField } from './path.js';

/** What sorting needs to know of one field. */
interface SortField {
  readonly names: readonly string[];
  readonly direction: 1 | -1;
}

/** Stands for an empty array: MongoDB sorts it below null. */
const EMPTY = Symbol('empty array');

/** A field that leads on from some place: its position, and the first name still to go. */
interface Pending {
  readonly position: number;
  readonly next: number;
}

/**
 * The values that a document is sorted by, one for each field.
 *
 * Arrays on the way and at the end are unrolled: of all combinations that the elements give, the
 * one that sorts first is taken. Fields that lead through the same array vary together.
 */
export function sortKeys(doc: unknown, fields: readonly SortField[]): unknown[] {
  const keys: unknown[] = fields.map(() => null);
  fill(
    keys,
    doc,
    fields,
    fields.map((_, position) => ({ position, next: 0 })),
  );
  return keys;
}

/** Compares what {@link sortKeys} returns. */
export function compareSortKeys(
  a: readonly unknown[],
  b: readonly unknown[],
  fields: readonly SortField[],
): number {
  for (const [position, { direction }] of fields.entries()) {
    const order = compareKeys(a[position], b[position]);
    if (order !== 0) return order * direction;
  }
  return 0;
}

function compareKeys(a: unknown, b: unknown): number {
  if (a === EMPTY || b === EMPTY) return rankOf(a) - rankOf(b);
  return compareValues(a, b);
}

function rankOf(key: unknown): number {
  if (key === EMPTY) return 1;
  return kindOf(key) === Kind.MinKey ? 0 : 2;
}

function fill(
  keys: unknown[],
  container: unknown,
  fields: readonly SortField[],
  pending: readonly Pending[],
): void {
  const byArray = new Map<readonly unknown[], Pending[]>();
  for (const { position, next } of pending) {
    const stop = descend(container, fields[position]?.names ?? [], next);
    if (!Array.isArray(stop.value)) keys[position] = stop.value ?? null;
    else {
      const group = byArray.get(stop.value);
      if (group) group.push({ position, next: stop.next });
      else byArray.set(stop.value, [{ position, next: stop.next }]);
    }
  }
  for (const [array, group] of byArray) fillFromArray(keys, array, fields, group);
}

/** Follows the names up to the end, to an array that must be unrolled, or to where nothing is. */
function descend(container: unknown, names: readonly string[], start: number) {
  let value = container;
  let next = start;
  for (; next < names.length; next++) {
    const name = names[next] as string;
    if (next > start && Array.isArray(value) && !(isIndex(name) && Number(name) < value.length)) {
      break;
    }
    value = readField(value, name);
  }
  return { value, next };
}

function fillFromArray(
  keys: unknown[],
  array: readonly unknown[],
  fields: readonly SortField[],
  group: readonly Pending[],
): void {
  let best: unknown[] | undefined;
  for (const element of array.length === 0 ? [EMPTY] : array) {
    const candidate = [...keys];
    for (const { position, next } of group) {
      if (next === fields[position]?.names.length) candidate[position] = element ?? null;
      else candidate[position] = null;
    }
    const deeper = group.filter(
      ({ position, next }) => next < (fields[position]?.names.length ?? 0),
    );
    if (isDocument(element)) fill(candidate, element, fields, deeper);
    if (!best || compareGroup(candidate, best, fields, group) < 0) best = candidate;
  }
  for (const { position } of group) keys[position] = best?.[position];
}

function compareGroup(
  a: readonly unknown[],
  b: readonly unknown[],
  fields: readonly SortField[],
  group: readonly Pending[],
): number {
  for (const { position } of group) {
    const order = compareKeys(a[position], b[position]);
    if (order !== 0) return order * (fields[position]?.direction ?? 1);
  }
  return 0;
}
