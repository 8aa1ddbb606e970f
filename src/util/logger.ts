import { getLogger } from '@logtape/logtape';
import { redact, redactError } from '../errors/redact.js';

/**
 * Where builders and the library itself write their log lines.
 *
 * Lines go to the LogTape category `['maggma', name]`; an application that does not configure LogTape
 * sees nothing.
 */
export interface Logger {
  /** For whoever looks for a mistake. */
  debug(message: string, properties?: Record<string, unknown>): void;
  /** What happens. */
  info(message: string, properties?: Record<string, unknown>): void;
  /** Something that may be wrong; the work goes on. */
  warn(message: string, properties?: Record<string, unknown>): void;
  /** Something that went wrong. */
  error(message: string, properties?: Record<string, unknown>): void;
}

/**
 * Makes a logger of the given name. Secrets are masked in its lines.
 *
 * @param name - What a log line shows as its origin, e.g. `SerialProcessor`.
 */
export function createLogger(name: string): Logger {
  const logger = getLogger(['maggma', name]);
  const log =
    (level: 'debug' | 'info' | 'warning' | 'error'): Logger['info'] =>
    (message, properties = {}) => {
      if (logger.isEnabledFor(level)) logger[level](redact(message), redactProperties(properties));
    };
  return { debug: log('debug'), info: log('info'), warn: log('warning'), error: log('error') };
}

function redactProperties(properties: Record<string, unknown>): Record<string, unknown> {
  const redacted = Object.entries(properties).map(([name, value]) => {
    redactError(value);
    return [name, typeof value === 'string' ? redact(value) : value];
  });
  return Object.fromEntries(redacted);
}
