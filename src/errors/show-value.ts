import { inspect } from 'node:util';
import { redact } from './redact.js';

/** Writes a value for a message: short, on one line, whatever it is. */
export function showValue(value: unknown): string {
  // Before it is cut: a part of a secret would not be recognised any more.
  return inspect(typeof value === 'string' ? redact(value) : value, {
    depth: 1,
    maxArrayLength: 3,
    maxStringLength: 60,
    breakLength: Number.POSITIVE_INFINITY,
  });
}
