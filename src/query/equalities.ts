import { Kind, kindOf } from './bson-kind.js';
import { isOperatorObject } from './operator-object.js';

/**
 * Collects, from valid criteria, the values that a path must equal one of.
 *
 * Where a path is constrained more than once the shortest list is taken: an array may satisfy each
 * constraint by another element, so the lists cannot be intersected.
 */
export function equalitiesOf(criteria: object): ReadonlyMap<string, readonly unknown[]> {
  const found = new Map<string, readonly unknown[]>();
  collect(criteria, found);
  return found;
}

function collect(criteria: object, found: Map<string, readonly unknown[]>): void {
  for (const [name, operand] of Object.entries(criteria)) {
    if (name === '$and') for (const part of operand) collect(part, found);
    else if (!name.startsWith('$')) {
      for (const values of listsIn(operand)) {
        const known = found.get(name);
        if (values.every(isIndexable) && !(known && known.length <= values.length)) {
          found.set(name, values);
        }
      }
    }
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

/** Null matches what is missing, a regular expression matches text, an array is matched whole. */
function isIndexable(value: unknown): boolean {
  const kind = kindOf(value);
  return kind !== Kind.Null && kind !== Kind.RegExp && kind !== Kind.Array;
}
