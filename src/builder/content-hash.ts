import { createHash } from 'node:crypto';
import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import { withoutPath } from '../query/path.js';
import type { Store } from '../store/store.js';

/**
 * A short text that is the same for equal values only, in every process and version.
 *
 * The order of an object's fields does not count: stores may change it.
 */
export function contentHash(value: unknown): string {
  const hash = createHash('sha256');
  write(value, (text) => hash.update(text));
  return hash.digest('hex').slice(0, 32);
}

/** A source document without what says nothing of its contents: `_id` and the time stamp. */
export function inputOf(source: Store, doc: Doc): Doc {
  const { _id, ...input } = withoutPath(doc, source.lastUpdatedField);
  return input;
}

function write(value: unknown, out: (text: string) => void): void {
  if (Array.isArray(value)) {
    out(`[${value.length}:`);
    for (const item of value) write(item, out);
  } else if (isRecord(value)) {
    const names = Object.keys(value)
      .filter((name) => value[name] !== undefined)
      .sort();
    out(`{${names.length}:`);
    for (const name of names) {
      out(`${name.length}:${name}`);
      write(value[name], out);
    }
  } else {
    const scalar = hashValue(value);
    out(`${typeof scalar}:${String(scalar)};`);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);
