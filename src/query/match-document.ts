import { isDocument } from './bson-kind.js';
import { every, onPath } from './condition.js';
import { compileExpressionTest } from './expression.js';
import { compileFieldCondition } from './match-field.js';
import type { DocTest } from './path.js';
import type { Place } from './place.js';

const REFUSED: ReadonlyMap<string, string> = new Map([
  ['$where', 'running JavaScript from a filter is refused: use $expr or operators'],
  ['$function', 'running JavaScript from a filter is refused: use $expr or operators'],
  ['$text', 'text search is not part of the query language here'],
  ['$jsonSchema', 'schemas are for validators, not for filters'],
]);

/** Compiles the criteria at some place: fields, and operators that join criteria. */
export function compileCriteria(criteria: object, place: Place): DocTest {
  const tests: DocTest[] = [];
  for (const [name, operand] of Object.entries(criteria)) {
    const at = place.at(name);
    if (!name.startsWith('$')) tests.push(onPath(name, compileFieldCondition(operand, at)));
    else if (name !== '$comment') tests.push(compileTopLevel(name, operand, at));
  }
  return every(tests);
}

function compileTopLevel(name: string, operand: unknown, place: Place): DocTest {
  switch (name) {
    case '$and':
      return every(compileList(operand, place));
    case '$or':
      return some(compileList(operand, place));
    case '$nor': {
      const any = some(compileList(operand, place));
      return (doc) => !any(doc);
    }
    case '$expr':
      return compileExpressionTest(operand, place);
    default:
      return place.fail(REFUSED.get(name) ?? `there is no operator ${name} here`);
  }
}

function compileList(operand: unknown, place: Place): DocTest[] {
  if (!Array.isArray(operand) || operand.length === 0) {
    return place.fail('expected an array of criteria, and at least one');
  }
  return operand.map((criteria, index) => {
    const at = place.at(index);
    return isDocument(criteria) ? at.compile(criteria, at) : at.fail('expected an object');
  });
}

function some(tests: readonly DocTest[]): DocTest {
  return (doc) => {
    for (const test of tests) if (test(doc)) return true;
    return false;
  };
}
