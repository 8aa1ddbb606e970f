import { InvalidOptionError } from '../errors/option-errors.js';

/** Throws {@link InvalidOptionError} unless the value is a whole number of at least 1. */
export function assertPositiveInteger(option: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw new InvalidOptionError(option, 'a positive whole number', value);
}

/** Throws {@link InvalidOptionError} unless the value is a finite number of at least 0. */
export function assertNonNegativeNumber(option: string, value: unknown): asserts value is number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw new InvalidOptionError(option, 'a number of at least 0', value);
}

/** Throws {@link InvalidOptionError} unless the value is a whole number of at least 0. */
export function assertNonNegativeInteger(option: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new InvalidOptionError(option, 'a whole number of at least 0', value);
}

/** Throws {@link InvalidOptionError} unless the value is a string with at least one character. */
export function assertNonEmptyString(option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '')
    throw new InvalidOptionError(option, 'a non-empty string', value);
}

/** Throws {@link InvalidOptionError} unless the value is `true` or `false`. */
export function assertBoolean(option: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new InvalidOptionError(option, 'true or false', value);
}

/** Throws {@link InvalidOptionError} unless the value is one of those allowed. */
export function assertOneOf<const T>(
  option: string,
  value: unknown,
  allowed: readonly T[],
): asserts value is T {
  if (!allowed.includes(value as T))
    throw new InvalidOptionError(
      option,
      `one of ${allowed.map((a) => JSON.stringify(a)).join(', ')}`,
      value,
    );
}
