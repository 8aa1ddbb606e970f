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

/** A regular expression took longer than the store allows; see `regexTimeoutMs`. */
export class RegexTimeoutError extends MaggmaError {
  override get name() {
    return 'RegexTimeoutError' as const;
  }
  override get code() {
    return 'REGEX_TIMEOUT' as const;
  }

  readonly pattern: string;
  readonly timeoutMs: number;

  constructor(pattern: string, timeoutMs: number) {
    super(
      `The regular expression /${pattern}/ took longer than ${timeoutMs} ms on one text: simplify it, or raise \`regexTimeoutMs\``,
    );
    this.pattern = pattern;
    this.timeoutMs = timeoutMs;
  }
}
