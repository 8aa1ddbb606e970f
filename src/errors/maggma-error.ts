import { maskKnownSecrets, redactError } from './redact.js';

const BRAND = Symbol.for('maggma.error');

/** Root of every error that this library raises on purpose. Known secrets are masked in it, and in its cause. */
export abstract class MaggmaError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(maskKnownSecrets(message), options);
    redactError(options?.cause);
  }

  /** A stable identifier: safe to switch on, and it survives a trip between processes. */
  abstract get code(): string;

  /** @internal */
  get [BRAND](): true {
    return true;
  }
}

/**
 * Tells whether a thrown value is one of ours, also when it comes from a second copy of this package.
 *
 * @param value - Anything that was caught.
 */
export function isMaggmaError(value: unknown): value is MaggmaError {
  return value instanceof Error && BRAND in value;
}
