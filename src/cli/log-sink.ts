import { toLogEntry } from '../util/log-entry.js';
import { addLogSink } from '../util/log-sink.js';
import { colourOf } from './colours.js';
import { formatEntry, formatJsonEntry } from './format-log.js';
import type { LogFormat } from './option-table.js';
import type { Screen } from './screen.js';

/** What is logged, and how. */
export interface LogStyle {
  /** 0 for warnings and errors, 1 for what happens, 2 or more for everything. */
  readonly verbosity: number;
  /** @defaultValue `'text'` */
  readonly format?: LogFormat | undefined;
}

/**
 * Sends the library's and the builders' log lines to a screen, unless a script has said where they go.
 */
export function configureLog(screen: Screen, { verbosity, format }: LogStyle): void {
  const lowestLevel = verbosity > 1 ? 'debug' : verbosity > 0 ? 'info' : 'warning';
  const style = { withStack: verbosity > 1, colour: colourOf(process.stderr) };
  const write = format === 'json' ? formatJsonEntry : formatEntry;
  addLogSink('mrun', (record) => screen.print(write(toLogEntry(record), style)), lowestLevel);
}
