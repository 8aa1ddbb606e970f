import { Long } from 'bson';
import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { getPath, setPath, valuesAt } from '../../src/query/path.js';

const data = (text: string) => JSON.parse(text);

describe('getPath', () => {
  test.each([
    [{ a: 1 }, 'a', 1],
    [{ a: { b: 2 } }, 'a.b', 2],
    [{ a: { b: null } }, 'a.b', null],
    [{ a: [{ b: 1 }] }, 'a.b', undefined],
    [{ a: [{ b: 1 }] }, 'a.0.b', 1],
    [{ a: [1] }, 'a.length', undefined],
    [{ a: [1] }, 'a.00', undefined],
    [{ a: 'text' }, 'a.length', undefined],
    [{ a: Long.ONE }, 'a.low', undefined],
    [{}, 'constructor', undefined],
    [{}, 'a.constructor', undefined],
    [{ a: {} }, 'a.constructor.name', undefined],
    [{}, '__proto__', undefined],
    [data('{"__proto__":{"x":5}}'), '__proto__.x', 5],
    [data('{"constructor":7}'), 'constructor', 7],
    [{ '': 1 }, '', 1],
    [Object.assign(Object.create(null), { a: 1 }), 'a', 1],
  ])('of %j, %s is %j', (doc, path, value) => {
    expect(getPath(doc, path)).toEqual(value);
  });
});

describe('setPath', () => {
  test.each([
    [{}, 'a', { a: 1 }],
    [{ a: 0 }, 'a', { a: 1 }],
    [{}, 'a.b.c', { a: { b: { c: 1 } } }],
    [{ a: { x: 0 } }, 'a.b', { a: { x: 0, b: 1 } }],
    [{ a: [{ b: 0 }] }, 'a.0.b', { a: [{ b: 1 }] }],
  ])('of %j sets %s', (doc, path, wanted) => {
    setPath(doc, path, 1);
    expect(doc).toEqual(wanted);
  });

  test('refuses to replace a scalar on the way', () => {
    expect(() => setPath({ a: 5 }, 'a.b', 1)).toThrow(InvalidQueryError);
    expect(() => setPath({ a: null }, 'a.b', 1)).toThrow(InvalidQueryError);
  });

  test('writes __proto__ as data', () => {
    const doc = {};
    setPath(doc, '__proto__.x', 1);
    expect(JSON.stringify(doc)).toBe('{"__proto__":{"x":1}}');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('valuesAt', () => {
  test.each([
    [{ a: 1 }, 'a', [1]],
    [{}, 'a', [undefined]],
    [{ a: [1, [2]] }, 'a', [1, [2], [1, [2]]]],
    [{ a: [] }, 'a', [[]]],
    [{ a: [{ b: 1 }, { c: 2 }, 3] }, 'a.b', [1, undefined]],
    [{ a: [1, 2] }, 'a.b', []],
    [{ a: 5 }, 'a.b', [undefined]],
    [{ a: [{ b: [1, 2] }] }, 'a.b', [1, 2, [1, 2]]],
    [{ a: [[{ b: 1 }]] }, 'a.b', []],
    [{ a: [[{ b: 1 }]] }, 'a.0.b', [1]],
    [{ a: [[1, 2], 3] }, 'a.0', [[1, 2]]],
    [{ a: [{ '0': 'x' }] }, 'a.0', ['x', { '0': 'x' }]],
    [{ a: [{ b: 1 }, { b: 2 }] }, 'a.1.b', [undefined, undefined, 2]],
  ])('of %j, %s gives %j', (doc, path, values) => {
    expect(valuesAt(doc, path)).toEqual(values);
  });
});
