const ISO =
  /^([+-]\d{6}|\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/**
 * Reads a time stamp as an instant, in milliseconds since 1970, floored.
 *
 * Dates, and texts as ISO 8601, Python and pandas write them (`2020-01-02T03:04:05Z`,
 * `2020-01-02 03:04:05.678901+05:30`) are understood, also in the record that monty makes of a datetime; a text without a
 * zone is UTC.
 *
 * @returns The instant, or `null` for anything that is not a readable time stamp.
 */
export function toInstant(value: unknown): number | null {
  if (value instanceof Date) {
    const time = value.getTime();
    return Number.isNaN(time) ? null : time;
  }
  if (typeof value === 'string') return parseInstant(value);
  return isMontyDate(value) ? parseInstant(value.string) : null;
}

/** A datetime as monty (Python) writes it into JSON. */
function isMontyDate(value: unknown): value is { readonly string: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { '@class': name, string } = value as Record<string, unknown>;
  return name === 'datetime' && typeof string === 'string';
}

/**
 * Writes an instant as ISO 8601 text without a zone, which means UTC.
 *
 * Python's stores write and read this form; with a zone, Python could not compare it with its own dates.
 */
export const toIsoText = (instant: number | Date): string =>
  new Date(instant).toISOString().replace('Z', '');

function parseInstant(text: string): number | null {
  const parts = ISO.exec(text.trim());
  if (!parts) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    parts;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const fields = [
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    milliseconds,
  ] as const;
  const date = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(fields[0], fields[1], fields[2]);
  date.setUTCHours(fields[3], fields[4], fields[5], fields[6]);
  const isReal =
    date.getUTCMonth() === fields[1] &&
    date.getUTCDate() === fields[2] &&
    fields[3] < 24 &&
    fields[4] < 60 &&
    fields[5] < 60;
  return isReal ? date.getTime() - offsetOf(zone) : null;
}

/** Milliseconds that a zone such as `+05:30` is ahead of UTC. */
function offsetOf(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
