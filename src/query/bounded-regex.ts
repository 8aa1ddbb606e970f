import type { Context } from 'node:vm';
import { createContext, Script } from 'node:vm';
import { RegexTimeoutError } from '../errors/query-errors.js';
import type { SearchText } from './place.js';

const SCRIPT = new Script('regex.test(text)');
let context: Context | undefined;

/**
 * How to search when one search may take so many milliseconds only.
 *
 * @returns Undefined without a limit.
 */
export function searchWithin(timeoutMs: number | null | undefined): SearchText | undefined {
  if (timeoutMs === null || timeoutMs === undefined) return undefined;
  return (regex) => boundedSearch(regex, timeoutMs);
}

/**
 * Searches texts with a regular expression that may be hostile: one that backtracks without end is stopped.
 *
 * It costs some ten microseconds per text, so it is for filters from strangers only.
 *
 * @param timeoutMs - How long one search may take.
 * @returns A test that throws {@link RegexTimeoutError} when it takes longer.
 */
function boundedSearch(regex: RegExp, timeoutMs: number): (text: string) => boolean {
  return (text) => {
    context ??= createContext();
    Object.assign(context, { regex, text });
    try {
      return SCRIPT.runInContext(context, { timeout: timeoutMs }) as boolean;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new RegexTimeoutError(regex.source, timeoutMs);
    }
  };
}
