import { getLogger } from '@logtape/logtape';

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
 * Makes a logger of the given name.
 *
 * @param name - What a log line shows as its origin, e.g. `SerialProcessor`.
 */
export function createLogger(name: string): Logger {
  return getLogger(['maggma', name]);
}
