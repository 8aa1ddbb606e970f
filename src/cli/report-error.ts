import type { PortableError } from '../errors/error-transfer.js';
import { toPortable } from '../errors/error-transfer.js';
import type { Colour } from './colours.js';
import { oneLine, printable } from './printable.js';

/** How an error is shown. */
export interface ErrorStyle {
  /**
   * What failed, for the beginning of the line.
   *
   * @defaultValue nothing
   */
  readonly context?: string;
  /** @defaultValue colours nothing */
  readonly colour?: Colour;
}

/**
 * What is shown of an error: one line when it is one of ours, which says what to do, else its stack.
 *
 * @param thrown - Whatever was caught, or what a report says of it.
 * @returns Whole lines.
 */
export function formatError(
  thrown: unknown,
  { context, colour = (_, text) => text }: ErrorStyle = {},
): string {
  const error = isPortable(thrown) ? thrown : toPortable(thrown);
  const prefix = colour('red', 'mrun:');
  const start = context === undefined ? `${prefix} ` : `${prefix} ${oneLine(context)}: `;
  if (error.code !== undefined || error.stack === undefined)
    return `${start}${oneLine(error.message)}\n`;
  return `${start}${printable(error.stack.trimEnd())}${causes(error)}\n`;
}

/** What another program is told of an error; of one of ours not where in the code it was thrown. */
export function errorFields(thrown: unknown): PortableError {
  const { stack, ...error } = isPortable(thrown) ? thrown : toPortable(thrown);
  return { ...error, ...(error.code === undefined && stack !== undefined && { stack }) };
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
