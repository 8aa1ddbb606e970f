import { Binary, Long, ObjectId, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cloneValue } from '../../src/query/clone.js';
import { equalValues } from '../../src/query/compare.js';
import { Generator } from './generate.js';
import { deepFreeze } from './support.js';

/** Everything in a tree that could be changed in place. */
function mutableParts(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Date || value instanceof RegExp || value instanceof Uint8Array)
    return [value];
  if (value instanceof Binary) return [value, value.buffer];
  if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
    return [value, ...Object.values(value).flatMap(mutableParts)];
  }
  return [];
}

describe('cloneValue', () => {
  test('gives an equal tree that shares nothing that can be changed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const doc = deepFreeze(new Generator(seed).doc(1));
        const copy = cloneValue(doc);
        expect(equalValues(copy, doc)).toBe(true);
        const parts = new Set(mutableParts(doc));
        expect(mutableParts(copy).filter((part) => parts.has(part))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps the classes', () => {
    const value = {
      date: new Date(5),
      regex: /a/gi,
      bytes: Buffer.from('ab'),
      typed: Uint8Array.of(1),
      binary: new Binary(Buffer.from('ab'), 128),
      uuid: new UUID(),
      id: new ObjectId(),
      long: Long.fromNumber(5),
      missing: undefined,
    };
    const copy = cloneValue(value);
    expect(copy).toEqual(value);
    expect(copy.uuid).toBeInstanceOf(UUID);
    expect(Buffer.isBuffer(copy.bytes)).toBe(true);
    expect(copy.id).toBe(value.id);
    expect(copy.long).toBe(value.long);
    copy.binary.buffer[0] = 0;
    copy.bytes[0] = 0;
    expect(value.binary.toString('utf8')).toBe('ab');
    expect(value.bytes.toString()).toBe('ab');
  });

  test('keeps fields named __proto__ and constructor as data', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
    const copy = cloneValue(value);
    expect(Object.keys(copy)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(equalValues(copy, value)).toBe(true);
  });
});
