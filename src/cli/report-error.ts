import type { PortableError } from '../errors/error-transfer.js';
import { toPortable } from '../errors/error-transfer.js';
import { oneLine, printable } from './printable.js';

/**
 * What is shown of an error: one line when it is one of ours, which says what to do, else its stack.
 *
 * @param thrown - Whatever was caught, or what a report says of it.
 * @param context - What failed, for the beginning of the line.
 * @returns Whole lines.
 */
export function formatError(thrown: unknown, context?: string): string {
  const error = isPortable(thrown) ? thrown : toPortable(thrown);
  const start = context === undefined ? 'mrun: ' : `mrun: ${oneLine(context)}: `;
  if (error.code !== undefined || error.stack === undefined)
    return `${start}${oneLine(error.message)}\n`;
  return `${start}${printable(error.stack.trimEnd())}${causes(error)}\n`;
}

function causes({ cause }: PortableError): string {
  if (cause === undefined) return '';
  return `\n  caused by ${printable(cause.stack ?? cause.message)}${causes(cause)}`;
}

function isPortable(value: unknown): value is PortableError {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Error) && 'name' in value
  );
}
