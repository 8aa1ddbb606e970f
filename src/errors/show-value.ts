import { inspect } from 'node:util';

/** Writes a value for a message: short, on one line, whatever it is. */
export function showValue(value: unknown): string {
  return inspect(value, {
    depth: 1,
    maxArrayLength: 3,
    maxStringLength: 60,
    breakLength: Number.POSITIVE_INFINITY,
  });
}
