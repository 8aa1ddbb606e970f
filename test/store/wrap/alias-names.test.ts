import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/errors/option-errors.js';
import { InvalidQueryError } from '../../../src/errors/query-errors.js';
import { InvalidDocumentError } from '../../../src/errors/store-errors.js';
import { toInternalCriteria } from '../../../src/store/wrap/alias-criteria.js';
import { renameFields } from '../../../src/store/wrap/alias-documents.js';
import { AliasNames } from '../../../src/store/wrap/alias-names.js';
import { deepFreeze } from './support.js';

/** Those of Python's own tests. */
const names = new AliasNames({ a: 'b', 'c.d': 'e', f: 'g.h' });

describe('paths', () => {
  test.each([
    ['a', 'b'],
    ['a.0.x', 'b.0.x'],
    ['ab', 'ab'],
    ['c.d', 'e'],
    ['c.d.x', 'e.x'],
    ['c.x', 'c.x'],
    ['c', undefined],
    ['f', 'g.h'],
    ['f.x', 'g.h.x'],
    ['g', undefined],
    ['b', 'a'],
    ['e.y', 'c.d.y'],
    ['_id', '_id'],
  ])('%s is stored as %s', (external, internal) => {
    expect(names.internal(external)).toBe(internal);
    if (internal !== undefined) expect(names.external(internal)).toBe(external);
  });

  test('chains and swaps keep every field', () => {
    const chain = new AliasNames({ a: 'b', b: 'c', x: 'y', y: 'x', same: 'same' });
    expect(['a', 'b', 'c', 'x', 'y', 'same'].map((name) => chain.internal(name))).toEqual([
      'b',
      'c',
      'a',
      'y',
      'x',
      'same',
    ]);
  });

  test.each([
    [{ a: 'c', b: 'c' }],
    [{ a: 'a', b: 'a' }],
    [{ a: 'a.b' }],
    [{ 'c.d': 'c' }],
    [{ x: 'data.x', data: 'raw' }],
    [{ a: '' }],
    [{ '': 'a' }],
    [{ a: 'b..c' }],
    [{ $a: 'b' }],
    [{ a: 'b.$c' }],
    [{ a: 1 }],
    [null],
    [['a', 'b']],
  ])('%o contradicts itself', (aliases) => {
    expect(() => new AliasNames(aliases as never)).toThrow(InvalidOptionError);
  });

  test.each([
    [['a'], ['b']],
    [
      ['f', 'x.y'],
      ['g.h', 'x.y'],
    ],
    [['c.x'], ['c', 'e']],
    [['g'], ['g', 'f']],
  ])('for %o are read %o', (wanted, read) => expect(names.toRead(wanted)).toEqual(read));
});

describe('documents', () => {
  const moved = [
    [
      { a: 4, x: 1 },
      { b: 4, x: 1 },
    ],
    [{ c: { d: 5 } }, { e: 5 }],
    [{ c: { d: 5, x: 6 } }, { e: 5, c: { x: 6 } }],
    [{ f: 6 }, { g: { h: 6 } }],
    [{ f: 6, g: { i: 7 } }, { g: { h: 6, i: 7 } }],
    [
      { a: 1, b: 2 },
      { b: 1, a: 2 },
    ],
    [{ c: {} }, { c: {} }],
    [{ c: [{ d: 1 }] }, { c: [{ d: 1 }] }],
    [{ c: null }, { c: null }],
    [{ a: { a: 1 } }, { b: { a: 1 } }],
    [{ c: { d: {} } }, { e: {} }],
  ] as const;

  test.each(moved)('%j is stored as %j, and read as it was', (external, internal) => {
    deepFreeze([external, internal]);
    expect(renameFields(external, names.toInternal, names.parents)).toEqual(internal);
    expect(renameFields(internal, names.toExternal, names.parents)).toEqual(external);
  });

  test('keep the order of their fields, and keys of prototypes', () => {
    const doc = JSON.parse('{"z": 1, "a": 2, "__proto__": {"x": 1}, "y": 3}');
    const stored = renameFields(doc, names.toInternal, names.parents);
    expect(Object.keys(stored)).toEqual(['z', 'b', '__proto__', 'y']);
    expect(Object.getPrototypeOf(stored)).toBe(Object.prototype);
  });

  test.each([
    { f: 6, g: 7 },
    { g: 7, f: 6 },
    { f: 6, g: [] },
    { e: 1, c: 7 },
    { c: null, e: 1 },
  ])('%j has no place for one of its fields', (doc) => {
    expect(() => renameFields(doc, names.toInternal, names.parents)).toThrow(InvalidDocumentError);
  });
});

describe('criteria', () => {
  test.each([
    [{}, {}],
    [
      { a: 1, 'c.d': { $gt: 2 } },
      { b: 1, e: { $gt: 2 } },
    ],
    [{ x: { a: 1 } }, { x: { a: 1 } }],
    [{ $or: [{ a: 1 }, { $nor: [{ f: 2 }] }] }, { $or: [{ b: 1 }, { $nor: [{ 'g.h': 2 }] }] }],
    [{ $and: [{ a: { $not: { $in: ['a'] } } }] }, { $and: [{ b: { $not: { $in: ['a'] } } }] }],
    [{ a: { $elemMatch: { a: 1, f: 2 } } }, { b: { $elemMatch: { a: 1, f: 2 } } }],
    [{ $comment: 'a' }, { $comment: 'a' }],
    [
      { $expr: { $gt: ['$c.d.x', { $add: ['$a', '$$ROOT.f'] }] } },
      { $expr: { $gt: ['$e.x', { $add: ['$b', '$$ROOT.g.h'] }] } },
    ],
    [
      { $expr: { $eq: ['$a', { $literal: '$a' }] } },
      { $expr: { $eq: ['$b', { $literal: '$a' }] } },
    ],
    [
      { $expr: { $in: ['a', { $map: { input: '$f', in: '$$this.a' } }] } },
      { $expr: { $in: ['a', { $map: { input: '$g.h', in: '$$this.a' } }] } },
    ],
    [{ $text: { $search: 'a' } }, { $text: { $search: 'a' } }],
  ])('%j means %j', (external, internal) => {
    expect(toInternalCriteria(deepFreeze(external), names)).toEqual(internal);
  });

  test.each([
    { c: { d: 1 } },
    { $or: [{ g: 1 }] },
    { $expr: { $eq: ['$c', 1] } },
    { $expr: { $eq: ['$$ROOT', 1] } },
    { $expr: { $eq: [{ $getField: 'a' }, 1] } },
    { $jsonSchema: { required: ['a'] } },
  ])('%j cannot be translated', (criteria) => {
    expect(() => toInternalCriteria(criteria, names)).toThrow(InvalidQueryError);
  });
});
