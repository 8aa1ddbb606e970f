import { isMaggmaError } from './maggma-error.js';
import { redact } from './redact.js';

/** What survives of an error when it leaves its thread, process or host. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  /** The stable identifier, for errors of this library. */
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: PortableError;
}

const MAX_CAUSES = 8;

/**
 * Turns whatever was thrown into plain data. Secrets are masked in its texts.
 *
 * @param thrown - An error, or any other value that user code threw.
 */
export function toPortable(thrown: unknown, depth = 0): PortableError {
  try {
    if (!(thrown instanceof Error)) return { name: 'NonError', message: redact(String(thrown)) };
    const { name, message, stack, cause } = thrown;
    return {
      name: String(name),
      message: redact(String(message)),
      ...(isMaggmaError(thrown) && { code: thrown.code }),
      ...(typeof stack === 'string' && { stack: redact(stack) }),
      ...(cause !== undefined && depth < MAX_CAUSES && { cause: toPortable(cause, depth + 1) }),
    };
  } catch {
    // Objects without a prototype, getters that throw, revoked proxies.
    return { name: 'NonError', message: 'a value that cannot be shown was thrown' };
  }
}
