import { EJSON } from 'bson';
import { toPortable } from '../errors/error-transfer.js';
import { redact } from '../errors/redact.js';
import { showValue } from '../errors/show-value.js';

/**
 * Writes an object as one line of JSON, for another program: dates as text, what else JSON has no word for as MongoDB's
 * Extended JSON, passwords masked.
 */
export function jsonLine(fields: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${toJson(value)}`);
  return `${oneLineOnly(`{${members.join(',')}}`)}\n`;
}

function toJson(value: unknown): string {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return JSON.stringify(value);
  // EJSON would keep 64 bits of it.
  if (typeof value === 'bigint') return JSON.stringify(String(value));
  const plain = value instanceof Error ? toPortable(value) : value;
  try {
    return EJSON.stringify(plain, masked) ?? JSON.stringify(showValue(value));
  } catch {
    // Circular, or with a member that throws.
    return JSON.stringify(redact(showValue(value)));
  }
}

const masked = (_: string, value: unknown): unknown =>
  typeof value === 'string' ? redact(value) : value;

// JSON leaves some characters alone that a terminal obeys, or that other programs take for the end of a line.
function oneLineOnly(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
