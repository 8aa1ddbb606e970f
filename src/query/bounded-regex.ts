import type { Context } from 'node:vm';
import { createContext, Script } from 'node:vm';
import { RegexTimeoutError } from '../errors/query-errors.js';

const SCRIPT = new Script('regex.test(text)');
let context: Context | undefined;

/**
 * Searches texts with a regular expression that may be hostile: one that backtracks without end is stopped.
 *
 * It costs some ten microseconds per text, so it is for filters from strangers only.
 *
 * @param timeoutMs - How long one search may take.
 * @returns A test that throws {@link RegexTimeoutError} when it takes longer.
 */
export function boundedSearch(regex: RegExp, timeoutMs: number): (text: string) => boolean {
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
