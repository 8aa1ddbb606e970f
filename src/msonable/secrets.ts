import { argumentsOf } from './argument-bag.js';
import { MASK } from './encode.js';
import { isPlainRecord } from './plain-value.js';
import { classOf, infoOf } from './registry.js';

/**
 * The secret texts in an object: the values of arguments declared with `secret`, also in objects that it holds.
 *
 * @param object - An instance of a decorated class, or data with such instances in it.
 * @returns Each text once, longest first.
 */
export function secretValuesOf(object: unknown): string[] {
  const secrets = new Set<string>();
  collect(object, false, secrets, new Set());
  return [...secrets].sort((a, b) => b.length - a.length);
}

/**
 * Masks the secrets of an object wherever they occur in a text, e.g. the message of a failed connection.
 *
 * @param object - As in {@link secretValuesOf}.
 * @param text - A message or a line of a log.
 */
export function maskSecrets(object: unknown, text: string): string {
  let masked = text;
  for (const secret of secretValuesOf(object)) masked = masked.replaceAll(secret, MASK);
  return masked;
}

function collect(value: unknown, isSecret: boolean, secrets: Set<string>, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null) {
    if (isSecret && typeof value === 'string' && value !== '') secrets.add(value);
    return;
  }
  if (seen.has(value)) return;
  seen.add(value);
  const info = infoOf(classOf(value));
  if (info) {
    for (const { property, secret } of argumentsOf(info.cls))
      collect(Reflect.get(value, property), isSecret || secret, secrets, seen);
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) collect(item, isSecret, secrets, seen);
  } else if (isPlainRecord(value) || value instanceof Map) {
    const items = value instanceof Map ? value.values() : Object.values(value);
    for (const item of items) collect(item, isSecret, secrets, seen);
  }
}
