import { MaggmaError } from './maggma-error.js';

/** A filter, projection or sort is not one that MongoDB would accept. */
export class InvalidQueryError extends MaggmaError {
  override get name() {
    return 'InvalidQueryError' as const;
  }
  override get code() {
    return 'INVALID_QUERY' as const;
  }

  /** Where in the filter, projection or sort the problem is, e.g. `$.a.$in`. */
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`Bad query at ${path}: ${problem}`);
    this.path = path;
  }
}
