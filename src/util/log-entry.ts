import { inspect } from 'node:util';
import type { LogRecord } from '@logtape/logtape';

/** A log line of the library or of a builder. */
export interface LogEntry {
  readonly time: Date;
  readonly level: 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'fatal';
  /** Who wrote it: the class name of a builder or a processor, or `mrun`. */
  readonly logger: string;
  /** Secrets are masked. */
  readonly message: string;
  /** What else is known; of a failed item for instance its `key`, and the `stack` of its error. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Makes a log line of what LogTape passes to a sink. */
export function toLogEntry(record: LogRecord): LogEntry {
  const { category, level, properties, timestamp } = record;
  return {
    time: new Date(timestamp),
    level,
    logger: category.at(-1) ?? 'maggma',
    message: messageOf(record),
    properties,
  };
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
