import { inspect } from 'node:util';
import type { LogLevel, LogRecord } from '@logtape/logtape';
import { getLogger } from '@logtape/logtape';

/** A log record on its way from a worker. */
export interface LogLine {
  readonly category: readonly string[];
  readonly level: LogLevel;
  readonly message: string;
  readonly properties: Record<string, unknown>;
}

/** Makes of a record what can be sent. */
export function toLogLine({ category, level, rawMessage, properties }: LogRecord): LogLine {
  const message = typeof rawMessage === 'string' ? rawMessage : rawMessage.join('…');
  return { category, level, message, properties: sendable(properties) };
}

/** Logs here what was logged there. */
export function relog({ category, level, message, properties }: LogLine): void {
  getLogger(category)[level](message, properties);
}

function sendable(properties: Record<string, unknown>): Record<string, unknown> {
  try {
    return structuredClone(properties);
  } catch {
    return Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, inspect(value)]),
    );
  }
}
