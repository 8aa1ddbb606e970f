import { addLogSink } from '../util/log-sink.js';
import { formatRecord } from './format-log.js';
import type { Screen } from './screen.js';

/**
 * Sends the library's and the builders' log lines to a screen, unless a script has said where they go.
 *
 * @param verbosity - 0 for warnings and errors, 1 for what happens, 2 or more for everything.
 */
export function configureLog(screen: Screen, verbosity: number): void {
  const lowestLevel = verbosity > 1 ? 'debug' : verbosity > 0 ? 'info' : 'warning';
  const withStack = verbosity > 1;
  addLogSink('mrun', (record) => screen.print(formatRecord(record, withStack)), lowestLevel);
}
