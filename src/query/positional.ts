import { isDocument } from './bson-kind.js';
import type { Condition, TestCondition } from './condition.js';
import type { Doc } from './document.js';
import { compileCriteria } from './match-document.js';
import { compileFieldCondition } from './match-field.js';
import { isIndex, readField, someValueAt } from './path.js';
import type { SearchText } from './place.js';
import { Place } from './place.js';

/** A condition on a path that an array element may have satisfied. */
interface Finder {
  readonly path: string;
  readonly find: (doc: Doc) => number;
}

/**
 * Makes a function that tells which array element made a document match: what `.$` stands for.
 *
 * A condition on the projected array itself decides if there is one, else the last condition that
 * an array element satisfied. Source: MongoDB manual, "$ (projection)".
 *
 * @param criteria - Valid criteria.
 * @param path - The path of the projected array.
 * @param search - How regular expressions are run.
 * @returns The index, or -1 when no array element was needed.
 */
export function compilePositions(
  criteria: object,
  path: string,
  search?: SearchText,
): (doc: Doc) => number {
  const finders: Finder[] = [];
  collect(criteria, new Place(compileCriteria, search), finders);
  const isOwn = ({ path: other }: Finder) => other === path || other.startsWith(`${path}.`);
  const ordered = [...finders.filter(isOwn), ...finders.filter((one) => !isOwn(one)).reverse()];
  return (doc) => {
    for (const { find } of ordered) {
      const index = find(doc);
      if (index >= 0) return index;
    }
    return -1;
  };
}

function collect(criteria: object, place: Place, finders: Finder[]): void {
  for (const [name, operand] of Object.entries(criteria)) {
    if (name === '$and' || name === '$or') {
      for (const part of operand) collect(part, place, finders);
    } else if (!name.startsWith('$')) {
      addFinders(finders, name, compileFieldCondition(operand, place.at(name)));
    }
  }
}

/** Negations hold for no element in particular. */
function addFinders(finders: Finder[], path: string, condition: Condition): void {
  if (condition.type === 'test') finders.push(finderFor(path, condition));
  if (condition.type === 'all') {
    for (const part of condition.conditions) addFinders(finders, path, part);
  }
}

function finderFor(path: string, condition: TestCondition): Finder {
  const names = path.split('.');
  return {
    path,
    find(doc) {
      let value: unknown = doc;
      for (let i = 0; i < names.length; i++) {
        value = readField(value, names[i] as string);
        const isNamed = Array.isArray(value) && isIndex(names[i + 1] ?? '');
        if (Array.isArray(value) && !isNamed) return indexIn(value, names, i + 1, condition);
      }
      return -1;
    },
  };
}

function indexIn(
  array: readonly unknown[],
  names: readonly string[],
  next: number,
  { test, unrolls, element }: TestCondition,
): number {
  if (next === names.length) return element ? array.findIndex(element) : -1;
  return array.findIndex(
    (inner) => isDocument(inner) && someValueAt(inner, names, next, test, unrolls),
  );
}
