import { inspect } from 'node:util';
import type { LogLevel, LogRecord } from '@logtape/logtape';
import { printable } from './printable.js';

// As Python's logging calls them.
const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warning: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/**
 * Writes a record as a log line, in local time:
 * `2020-01-08 14:33:17,187 - SerialProcessor - INFO - Processing batch of 1000 items`.
 *
 * @param withStack - Whether the stack of an error, in the property `stack`, follows below.
 */
export function formatRecord(record: LogRecord, withStack = false): string {
  const { category, level, properties, timestamp } = record;
  const name = category.at(-1) ?? 'maggma';
  const line = `${formatTime(new Date(timestamp))} - ${name} - ${LEVEL_NAMES[level]} - ${messageOf(record)}`;
  const stack = withStack && typeof properties['stack'] === 'string' ? properties['stack'] : '';
  return printable(stack === '' ? `${line}\n` : `${line}\n${stack}\n`);
}

function formatTime(date: Date): string {
  const digits = (n: number, length = 2) => String(n).padStart(length, '0');
  const day = [digits(date.getFullYear(), 4), digits(date.getMonth() + 1), digits(date.getDate())];
  const time = [digits(date.getHours()), digits(date.getMinutes()), digits(date.getSeconds())];
  return `${day.join('-')} ${time.join(':')},${digits(date.getMilliseconds(), 3)}`;
}

// Not `record.message`: LogTape reads every brace as a placeholder, and a message may quote JSON.
function messageOf({ rawMessage, message, properties }: LogRecord): string {
  if (typeof rawMessage !== 'string')
    return message.map((part, i) => (i % 2 === 0 ? part : show(part))).join('');
  return rawMessage.replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    Object.hasOwn(properties, name) ? show(properties[name]) : placeholder,
  );
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { breakLength: Infinity });
}
