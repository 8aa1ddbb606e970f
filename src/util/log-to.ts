import { InvalidOptionError } from '../errors/option-errors.js';
import { assertOneOf } from './assert-option.js';
import type { LogEntry } from './log-entry.js';
import { toLogEntry } from './log-entry.js';
import { addLogSink, removeLogSink } from './log-sink.js';

const LEVELS = ['debug', 'info', 'warning', 'error'] as const;
const RANKS: readonly LogEntry['level'][] = ['trace', ...LEVELS, 'fatal'];
const SINK = 'maggma.logTo';

/** Options of {@link logTo}. */
export interface LogToOptions {
  /**
   * What is less serious is dropped.
   * @defaultValue `'info'`
   */
  readonly level?: 'debug' | 'info' | 'warning' | 'error' | undefined;
}

interface Listener {
  readonly write: (entry: LogEntry) => void;
  readonly rank: number;
}

let listeners: readonly Listener[] = [];

/**
 * Sends the log lines of the library and of builders to a function, for instance one that passes them to the logger of
 * the application. Without it, and without a configuration of LogTape, nothing is printed.
 *
 * @param write - Gets each line, also from workers.
 * @returns Ends it.
 * @throws {@link InvalidOptionError} where LogTape is configured with sinks that it would close.
 *
 * @example
 * ```ts
 * const end = logTo(({ logger, message }) => console.error(`${logger}: ${message}`));
 * await builder.run();
 * end();
 * ```
 */
export function logTo(write: (entry: LogEntry) => void, options: LogToOptions = {}): () => void {
  const { level = 'info' } = options;
  assertOneOf('level', level, LEVELS);
  const listener = { write, rank: RANKS.indexOf(level) };
  listenWith([...listeners, listener]);
  return () => listenWith(listeners.filter((each) => each !== listener));
}

function listenWith(next: readonly Listener[]): void {
  removeLogSink(SINK);
  const lowest = LEVELS[Math.min(...next.map(({ rank }) => rank)) - 1];
  if (lowest !== undefined && !addLogSink(SINK, (record) => pass(toLogEntry(record)), lowest))
    throw new InvalidOptionError(
      'write',
      'given where LogTape leaves room for it: its configuration has a logger "maggma", or sinks that it closes, so add a sink there',
      next.at(-1)?.write,
    );
  listeners = next;
}

function pass(entry: LogEntry): void {
  const rank = RANKS.indexOf(entry.level);
  for (const listener of listeners) if (rank >= listener.rank) listener.write(entry);
}
