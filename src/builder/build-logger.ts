import type { Logger } from '../util/logger.js';
import { createLogger } from '../util/logger.js';

/** A builder's logger: forwards every line, and counts errors and warnings for the report. */
export class BuildLogger implements Logger {
  readonly #target: Logger;
  /** Lines at error level since the last {@link reset}. */
  errors = 0;
  /** Lines at warning level since the last {@link reset}. */
  warnings = 0;

  constructor(name: string) {
    this.#target = createLogger(name);
  }

  debug(message: string, properties?: Record<string, unknown>): void {
    this.#target.debug(message, properties);
  }

  info(message: string, properties?: Record<string, unknown>): void {
    this.#target.info(message, properties);
  }

  warn(message: string, properties?: Record<string, unknown>): void {
    this.warnings++;
    this.#target.warn(message, properties);
  }

  error(message: string, properties?: Record<string, unknown>): void {
    this.errors++;
    this.#target.error(message, properties);
  }

  /** Counts lines that were logged elsewhere, by a copy of the builder. */
  count(logged: { readonly errors: number; readonly warnings: number }): void {
    this.errors += logged.errors;
    this.warnings += logged.warnings;
  }

  /** Starts counting anew; a processor does this when a build starts. */
  reset(): void {
    this.errors = 0;
    this.warnings = 0;
  }
}
