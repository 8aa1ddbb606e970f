import { InvalidQueryError } from '../../errors/query-errors.js';
import { UnsupportedOperationError } from '../../errors/store-errors.js';
import { isDocument, Kind, kindOf } from '../../query/bson-kind.js';
import { cloneValue } from '../../query/clone.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import { compileFilter } from '../../query/criteria.js';
import { setOwn } from '../../util/set-own.js';
import { toServerRegex } from './mongo-regex.js';

/** Operators that only a server can judge; inside `$expr` it may be any. */
const SERVER_ONLY: ReadonlySet<string> = new Set([
  '$alwaysFalse',
  '$alwaysTrue',
  '$expr',
  '$geoIntersects',
  '$geoWithin',
  '$jsonSchema',
  '$near',
  '$nearSphere',
  '$sampleRate',
  '$text',
  '$within',
]);

/** Operators that run code. */
const CODE: ReadonlySet<string> = new Set(['$accumulator', '$function', '$where']);

/**
 * Checks criteria that a server will answer.
 *
 * What our own engine knows is checked at once. What it does not know, as `$text`, or a regular expression that
 * JavaScript cannot express, is left to the server.
 *
 * @throws {@link InvalidQueryError} as `compileFilter` does, also for operators that run code.
 */
export function compileForServer(criteria: Criteria): Filter {
  try {
    const filter = compileFilter(criteria);
    return Object.freeze({ ...filter, criteria: withRegexes(filter.criteria) });
  } catch (error) {
    if (!isDocument(criteria) || !isForServer(criteria)) throw error;
  }
  refuseCode(criteria, '$');
  return Object.freeze({
    criteria: withRegexes(cloneValue(criteria)),
    matches(): never {
      throw new UnsupportedOperationError('A filter of a MongoStore', 'be tested here');
    },
    equalities: new Map(),
    ranges: new Map(),
  });
}

function isForServer(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isForServer);
  if (kindOf(value) === Kind.RegExp) return true;
  if (!isDocument(value)) return false;
  return Object.entries(value).some(
    ([name, inner]) => SERVER_ONLY.has(name) || name === '$regex' || isForServer(inner),
  );
}

function refuseCode(value: unknown, path: string): void {
  if (Array.isArray(value))
    for (const [i, item] of value.entries()) refuseCode(item, `${path}[${i}]`);
  else if (isDocument(value))
    for (const [name, inner] of Object.entries(value)) {
      if (CODE.has(name)) throw new InvalidQueryError(`${path}.${name}`, 'it runs code');
      refuseCode(inner, `${path}.${name}`);
    }
}

/** Changes the criteria, which must be a copy. */
function withRegexes(criteria: Criteria): Criteria {
  translateIn(criteria);
  return criteria;
}

function translateIn(container: object): void {
  for (const [name, value] of Object.entries(container)) {
    if (value instanceof RegExp) setOwn(container as Criteria, name, toServerRegex(value));
    else if (Array.isArray(value) || isDocument(value)) translateIn(value);
  }
}
