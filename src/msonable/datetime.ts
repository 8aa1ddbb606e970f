import { toInstant } from '../util/instant.js';

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/**
 * An instant as Python prints a naive datetime in UTC: `2020-01-02 03:04:05`, `2020-01-02 03:04:05.678000`.
 *
 * @returns The text, or null for a year that Python does not have (it has 1 to 9999).
 */
export function toPythonDatetime(date: Date): string | null {
  const year = date.getUTCFullYear();
  if (year < 1 || year > 9999) return null;
  const day = `${pad(year, 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`;
  const time = `${pad(date.getUTCHours(), 2)}:${pad(date.getUTCMinutes(), 2)}:${pad(date.getUTCSeconds(), 2)}`;
  const milliseconds = date.getUTCMilliseconds();
  return `${day} ${time}${milliseconds === 0 ? '' : `.${pad(milliseconds, 3)}000`}`;
}

const WITH_TIME = /\d[T ]\d{1,2}:\d{1,2}/i;

/**
 * Reads a datetime as Python or JavaScript writes it. Without a zone it is UTC; an offset is subtracted
 * (Python's reader drops it); what is finer than a millisecond is cut off.
 *
 * @returns The instant, or null when the text is no datetime.
 */
export function fromPythonDatetime(text: unknown): Date | null {
  if (typeof text !== 'string' || !WITH_TIME.test(text)) return null;
  const instant = toInstant(text);
  return instant === null ? null : new Date(instant);
}

const EXTENDED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?$/;

/** Reads the text of an extended JSON `$date`, which must have a time with seconds. */
export function fromExtendedDate(text: string): Date | null {
  return EXTENDED.test(text) ? fromPythonDatetime(text) : null;
}
