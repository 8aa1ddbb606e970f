import type { LogEntry } from '../util/log-entry.js';
import type { Colour, Style } from './colours.js';
import { jsonLine } from './json-line.js';
import { printable } from './printable.js';

// As Python's logging calls them.
const LEVEL_NAMES: Readonly<Record<LogEntry['level'], string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warning: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};
const LEVEL_STYLES: Readonly<Record<LogEntry['level'], Style>> = {
  trace: 'dim',
  debug: 'dim',
  info: 'green',
  warning: 'yellow',
  error: 'red',
  fatal: 'red',
};

/** How a log line looks. */
export interface LogLineStyle {
  /**
   * Whether the stack of an error, in the property `stack`, is shown.
   *
   * @defaultValue `false`
   */
  readonly withStack?: boolean;
  /** @defaultValue colours nothing */
  readonly colour?: Colour;
}

/**
 * Writes a log line for a person, in local time:
 * `2020-01-08 14:33:17,187 - SerialProcessor - INFO - Processing batch of 1000 items`. A stack follows below.
 */
export function formatEntry(
  { time, logger, level, message, properties }: LogEntry,
  { withStack = false, colour = (_, text) => text }: LogLineStyle = {},
): string {
  const name = colour(LEVEL_STYLES[level], LEVEL_NAMES[level]);
  const stack = withStack && typeof properties['stack'] === 'string' ? properties['stack'] : '';
  const text = stack === '' ? `${message}\n` : `${message}\n${stack}\n`;
  return `${formatTime(time)} - ${printable(logger)} - ${name} - ${printable(text)}`;
}

/**
 * Writes a log line for a program: `{"time":…,"level":…,"logger":…,"message":…}` and its properties. One that has the
 * name of these four gets an underscore.
 */
export function formatJsonEntry(
  { time, level, logger, message, properties }: LogEntry,
  { withStack = false }: Pick<LogLineStyle, 'withStack'> = {},
): string {
  const line: Record<string, unknown> = { time, level, logger, message };
  for (const [name, value] of Object.entries(properties))
    if (withStack || name !== 'stack') line[name in line ? `_${name}` : name] = value;
  return jsonLine(line);
}

/** `2020-01-08 14:33:17,187`, in local time. */
export function formatTime(date: Date): string {
  const digits = (n: number, length = 2) => String(n).padStart(length, '0');
  const day = [digits(date.getFullYear(), 4), digits(date.getMonth() + 1), digits(date.getDate())];
  const time = [digits(date.getHours()), digits(date.getMinutes()), digits(date.getSeconds())];
  return `${day.join('-')} ${time.join(':')},${digits(date.getMilliseconds(), 3)}`;
}
