import { InvalidQueryError } from '../errors/query-errors.js';
import { setOwn } from '../util/set-own.js';
import type { Doc } from './document.js';
import { readFieldPath } from './field-path.js';
import type { Hash } from './hash.js';
import { encodeValue, hashValue } from './hash.js';
import { readField } from './path.js';

/** The text for a missing value; no value has it. */
const MISSING = 'm';

/**
 * Tells which group a document belongs to, as `$group` with `_id: { k1: '$k1', k2: '$k2' }` does.
 *
 * Equal values of any classes make one group (1, Long 1); null and missing are different; an array
 * is one value, and a path through an array of documents gives the array of what they have there. A
 * missing value leaves its field out of `group`; a dotted key makes a nested document (`e.d` →
 * `{ e: { d: 9 } }`, and `{ e: {} }` when missing). Source: MongoDB manual, "$group".
 *
 * @param keys - Field names or dotted paths.
 * @returns `hash`, which is the same for documents of one group only, and `group`, the values of
 * the keys; it shares nested values with the document.
 * @throws {@link InvalidQueryError} when one key lies inside another.
 */
export function groupKey(doc: Doc, keys: readonly string[]): { hash: Hash; group: Doc } {
  const group: Doc = {};
  const [only = ''] = keys;
  if (keys.length === 1 && !only.includes('.')) {
    const value = addTo(group, doc, only);
    return { hash: value === undefined ? `\0${MISSING}` : hashValue(value), group };
  }
  let hash = '\0g';
  for (const key of keys) {
    if (key.includes('.')) assertApart(key, keys);
    const value = addTo(group, doc, key);
    hash += value === undefined ? MISSING : encodeValue(value);
  }
  return { hash, group };
}

function assertApart(key: string, keys: readonly string[]): void {
  const outer = keys.find((other) => key.startsWith(`${other}.`));
  if (outer !== undefined) throw new InvalidQueryError(key, `it lies inside the key ${outer}`);
}

function addTo(group: Doc, doc: Doc, key: string): unknown {
  if (!key.includes('.')) {
    const plain = readField(doc, key);
    if (plain !== undefined) setOwn(group, key, plain);
    return plain;
  }
  const names = key.split('.');
  const value = readFieldPath(doc, names);
  const last = names.pop() as string;
  let target = group;
  for (const name of names) {
    if (!Object.hasOwn(target, name)) setOwn(target, name, {});
    target = target[name];
  }
  if (value !== undefined) setOwn(target, last, value);
  return value;
}
