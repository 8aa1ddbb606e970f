import { InvalidQueryError } from '../errors/query-errors.js';
import type { DocTest } from './path.js';

/** MongoDB refuses filters that are nested deeper. */
const MAX_DEPTH = 100;

/** Makes criteria into a test; handed down to nested places, so that files need no import cycle. */
type CompileCriteria = (criteria: object, place: Place) => DocTest;

/** Makes a regular expression into the question whether it is found in a text. */
export type SearchText = (regex: RegExp) => (text: string) => boolean;

const searchFreely: SearchText = (regex) => (text) => regex.test(text);

/** A place in a filter that is being compiled: error messages name it. */
export class Place {
  readonly path: string;
  readonly compile: CompileCriteria;
  /** How regular expressions are run. */
  readonly search: SearchText;
  readonly #depth: number;

  constructor(compile: CompileCriteria, search = searchFreely, path = '$', depth = 0) {
    this.compile = compile;
    this.search = search;
    this.path = path;
    this.#depth = depth;
    if (depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH} levels`);
  }

  /** The place under a field or operator, or at an index of a list. */
  at(name: string | number): Place {
    const path = typeof name === 'number' ? `${this.path}[${name}]` : `${this.path}.${name}`;
    return new Place(this.compile, this.search, path, this.#depth + 1);
  }

  /** Refuses what stands here. */
  fail(problem: string): never {
    throw new InvalidQueryError(this.path, problem);
  }
}
