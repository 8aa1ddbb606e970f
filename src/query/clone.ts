import type { Binary } from 'bson';
import { setOwn } from '../util/set-own.js';

/**
 * Copies a tree of BSON values; changing the copy never changes the original.
 *
 * Documents, arrays, dates, regular expressions and binary data are copied, instances of the other
 * BSON classes are immutable and shared. Objects become plain ones; a field named `__proto__` stays
 * a field. The value must be a tree: a cycle never ends.
 */
export function cloneValue<T>(value: T): T {
  return typeof value === 'object' && value !== null ? (cloneObject(value) as T) : value;
}

function cloneObject(value: object): unknown {
  if (Array.isArray(value)) return cloneArray(value);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return cloneInstance(value, prototype);
  return cloneFields(value as Record<string, unknown>);
}

function cloneFields(source: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(source)) {
    const value = source[name];
    const cloned = typeof value === 'object' && value !== null ? cloneObject(value) : value;
    if (name === '__proto__') setOwn(copy, name, cloned);
    else copy[name] = cloned;
  }
  return copy;
}

function cloneArray(source: readonly unknown[]): unknown[] {
  const copy = source.slice();
  for (let i = 0; i < copy.length; i++) {
    const value = copy[i];
    if (typeof value === 'object' && value !== null) copy[i] = cloneObject(value);
  }
  return copy;
}

function cloneInstance(value: object, prototype: { readonly _bsontype?: unknown }): unknown {
  if (value instanceof Date) return new Date(value.getTime());
  if (prototype._bsontype === 'Binary') return cloneBinary(value as Binary);
  if (prototype._bsontype !== undefined) return value;
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Uint8Array) return copyBytes(value);
  return cloneFields(value as Record<string, unknown>);
}

/** Made without the constructor, which belongs to the `bson` package. */
function cloneBinary(value: Binary): Binary {
  const copy: Binary = Object.create(Object.getPrototypeOf(value));
  return Object.assign(copy, value, { buffer: copyBytes(value.buffer) });
}

function copyBytes<T extends Uint8Array>(bytes: T): T {
  return (Buffer.isBuffer(bytes) ? Buffer.from(bytes) : Uint8Array.from(bytes)) as unknown as T;
}
