import { describe, expect, test } from 'vitest';
import {
  ClassDeclarationError,
  DeserializationError,
  SerializationError,
} from '../../src/errors/serialization-errors.js';
import { arg, MSONable, option } from '../../src/msonable/decorators.js';
import { asDict, dumps } from '../../src/msonable/dump.js';
import { pythonPath } from '../../src/msonable/foreign.js';
import { fromDict, loads } from '../../src/msonable/load.js';
import {
  isMSONable,
  registerModule,
  registerRedirect,
  registerValueType,
} from '../../src/msonable/registry.js';
import { JSONStore, MemoryStore } from './golden-classes.js';
import { Forgotten, Holder, Strict } from './holder.js';

describe('the arguments of a class', () => {
  test('own ones first, those of the base last, in snake_case', () => {
    const holder = new Holder(1, { chunkSize: 5, apiToken: 't', s3URLPrefix: 'p' });
    expect(Object.entries(asDict(holder))).toEqual([
      ['@module', 'maggma_ts.test'],
      ['@class', 'Holder'],
      ['@version', '1'],
      ['value', 1],
      ['query', null],
      ['api_token', 't'],
      ['s3_url_prefix', 'p'],
      ['chunk_size', 5],
    ]);
  });

  test('some options are written only when they were given, also as the default or null', async () => {
    expect(asDict(new Holder(1))).not.toHaveProperty('chunk_size');
    expect(asDict(new Holder(1, { chunkSize: 1000 }))).toHaveProperty('chunk_size', 1000);
    expect(
      asDict(await fromDict<Holder>({ ...asDict(new Holder(1)), chunk_size: 7 })),
    ).toHaveProperty('chunk_size', 7);
    expect(asDict(new MemoryStore({ validator: null }))).toHaveProperty('validator', null);
  });

  test('names inside values are left alone', () => {
    const value = { camelCase: { alsoHere: 1 } };
    expect(asDict(new Holder(value, { query: value }))).toMatchObject({ value, query: value });
  });

  test('what is written can be changed without changing the object', () => {
    const value = { list: [1] };
    const holder = new Holder(value);
    (asDict(holder)['value'] as typeof value).list.push(2);
    expect(value).toEqual({ list: [1] });
  });

  test('a subclass that declares an argument replaces the list, and an option moves to its place', () => {
    @MSONable(import.meta.url, { module: 'maggma_ts.test' })
    class Replaced extends Holder {
      @arg() readonly first: number;
      @option() declare readonly chunkSize: number;
      constructor(first: number) {
        super(0);
        this.first = first;
      }
    }
    expect(Object.keys(asDict(new Replaced(1))).slice(3)).toEqual([
      'first',
      'chunk_size',
      'query',
      'api_token',
      's3_url_prefix',
    ]);
  });

  test('the arguments of plain JavaScript are lists of names', async () => {
    const Plain = MSONable(import.meta.url, {
      module: 'maggma_ts.test',
      name: 'PlainOne',
      args: ['a', { property: 'bC', name: 'other' }],
      options: [{ property: 'd', secret: true }],
    })(
      class {
        a: unknown;
        bC: unknown;
        d: unknown;
        constructor(a: unknown, bC: unknown, { d = 1 }: { d?: unknown } = {}) {
          Object.assign(this, { a, bC, d });
        }
      },
    );
    const dict = asDict(new Plain(1, 2, { d: 's' }));
    expect(dict).toMatchObject({ '@class': 'PlainOne', a: 1, other: 2, d: 's' });
    expect(await fromDict(dict)).toEqual(new Plain(1, 2, { d: 's' }));
  });

  test('an option that the constructor of a subclass does not take is left out', async () => {
    @MSONable(import.meta.url, { module: 'maggma_ts.test', omit: ['query'] })
    class Narrow extends Holder {}
    const dict = asDict(new Narrow(1));
    expect(dict).not.toHaveProperty('query');
    await expect(fromDict({ ...dict, query: {} })).rejects.toThrow(/no argument "query"/);
    expect(asDict(new Holder(1))).toHaveProperty('query');
  });

  test('a class found by the module of its test file', async () => {
    @MSONable(import.meta.url)
    class Local {
      @arg() readonly a: number;
      constructor(a: number) {
        this.a = a;
      }
    }
    const dict = asDict(new Local(1));
    expect(dict['@module']).toBe('maggma/test/msonable/classes.test.ts');
    expect(await fromDict(dict)).toBeInstanceOf(Local);
  });
});

describe('declarations that cannot work', () => {
  test.each([
    [
      'two arguments with one name',
      { args: ['aB', 'a_b'] },
      /"aB" and "a_b" would both be written as "a_b"/,
    ],
    ['__proto__', { args: ['__proto__'] }, /cannot be called "__proto__"/],
    [
      'constructor',
      { options: [{ property: 'x', name: 'constructor' }] },
      /cannot be called "constructor"/,
    ],
    ['a name for tags', { args: [{ property: 'x', name: '@x' }] }, /does not start with "@"/],
  ])('%s', (_name, spec, message) => {
    expect(() => MSONable(import.meta.url, spec)(class Bad {})).toThrow(message);
    expect(() => MSONable(import.meta.url, spec)(class Bad {})).toThrow(ClassDeclarationError);
  });

  test('two classes of one name', () => {
    const spec = { module: 'maggma_ts.test', name: 'Twice' };
    MSONable('file:///a.js', spec)(class {});
    MSONable('file:///a.js', spec)(class {}); // The same module again is a reload.
    expect(() => MSONable('file:///b.js', spec)(class {})).toThrow(
      /^Twice: two classes claim this name in "maggma_ts.test", one in file:\/\/\/a.js and one in file:\/\/\/b.js/,
    );
  });

  test('a class without a name', () => {
    expect(() => MSONable(import.meta.url)(class {})).toThrow(/pass \{ name \}/);
  });

  test('a redirect to a class that is not decorated', () => {
    expect(() => registerRedirect('a', 'b', Forgotten)).toThrow(
      /Forgotten: it is not serializable/,
    );
  });
});

describe('what cannot be written', () => {
  const cycle: { inner: Record<string, unknown> } = { inner: {} };
  cycle.inner['outer'] = cycle;
  const holders: unknown[] = [];
  holders.push(new Holder(holders));
  class Foreign {}

  test.each<[string, unknown, string, RegExp]>([
    [
      'a cycle',
      cycle,
      '$.inner.outer',
      /contains itself \(it is the one at \$\): remove the cycle/,
    ],
    ['a cycle through an object', holders, '$[0].value', /contains itself/],
    [
      'a closure',
      new Holder([(): number => 1]),
      '$.value[0]',
      /The function "anonymous" cannot be written/,
    ],
    ['a class', { Holder }, '$.Holder', /The function "Holder" cannot be written/],
    ['a symbol', { 'a b': Symbol('s') }, '$["a b"]', /A symbol cannot be written/],
    [
      'a subclass without decorator',
      [new Forgotten(1)],
      '$[0]',
      /An instance of Forgotten cannot be written: it extends the MSONable Holder but is not decorated itself, decorate the class with @MSONable\(import\.meta\.url\)/,
    ],
    [
      'a foreign class',
      { x: new Foreign() },
      '$.x',
      /An instance of Foreign cannot be written: decorate/,
    ],
    ['a promise', [Promise.resolve(1)], '$[0]', /An instance of Promise/],
    ['something in a map', new Map([['k', () => 1]]), '$.data[0][1]', /The function/],
    ['too many digits', 10n ** 5000n, '$', /integer of 5001 digits/],
  ])('%s', (_name, value, path, message) => {
    expect(() => dumps(value)).toThrow(message);
    expect(() => dumps(value)).toThrow(SerializationError);
    try {
      dumps(value);
    } catch (error) {
      expect((error as SerializationError).path).toBe(path);
    }
  });

  test('an argument that the constructor did not keep', () => {
    const Loses = MSONable(import.meta.url, { module: 'maggma_ts.test', args: ['source'] })(
      class Loses {},
    );
    expect(() => asDict(new Loses())).toThrow(/Loses has no property "source".*set `this.source`/);
  });

  test('too deep a value', () => {
    let value: unknown = 1;
    for (let i = 0; i < 2000; i++) value = [value];
    expect(() => dumps(value)).toThrow(/at most 990 levels/);
  });

  test('asDict takes objects of decorated classes only', () => {
    expect(() => asDict({ a: 1 })).toThrow(SerializationError);
    expect(() => asDict(new Forgotten(1))).toThrow(/Forgotten/);
    expect(isMSONable(new Holder(1))).toBe(true);
    expect(isMSONable(new Forgotten(1))).toBe(false);
    expect(isMSONable({ constructor: Holder })).toBe(false);
  });
});

describe('what cannot be read', () => {
  const dict = asDict(new Holder(1));

  test.each<[string, object, string, RegExp]>([
    [
      'an unknown argument',
      { ...dict, valeu: 2 },
      '$.valeu',
      /Holder has no argument "valeu": it takes value, query, api_token, s3_url_prefix, chunk_size/,
    ],
    [
      'camelCase',
      { ...dict, chunkSize: 2 },
      '$.chunkSize',
      /Holder has no argument "chunkSize": in files it is written "chunk_size"/,
    ],
    [
      'a missing argument',
      { '@module': 'maggma_ts.test', '@class': 'Holder' },
      '$',
      /Holder needs the argument "value", which is missing/,
    ],
    [
      '__proto__ as an argument',
      JSON.parse('{"@module":"maggma_ts.test","@class":"Holder","value":1,"__proto__":{}}'),
      '$.__proto__',
      /Holder has no argument "__proto__"/,
    ],
    [
      'an argument that the class refuses',
      [{ '@module': 'maggma_ts.test', '@class': 'Strict', size: -1 }],
      '$[0]',
      /Strict: Expected option `size` to be positive, got -1 \(at \$\[0\]\)/,
    ],
  ])('%s', async (_name, value, path, message) => {
    const error = await fromDict(value).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DeserializationError);
    expect(error).toMatchObject({ path, message: expect.stringMatching(message) });
  });

  test('the error of a constructor is the cause', async () => {
    const error = await fromDict({
      '@module': 'maggma_ts.test',
      '@class': 'Strict',
      size: 0,
    }).catch((caught: unknown) => caught);
    expect((error as Error).cause).toBeInstanceOf(RangeError);
    expect(() => new Strict(0)).toThrow(RangeError);
  });

  test('further keys with @ are ignored', async () => {
    const loaded = await fromDict<Holder>({ ...dict, '@generator': { x: 1 } });
    expect(asDict(loaded)).toEqual(dict);
  });

  test('too deep a value', async () => {
    let value: unknown = 1;
    for (let i = 0; i < 5000; i++) value = { '@module': 'numpy', '@class': 'array', data: [value] };
    await expect(fromDict(value as object)).rejects.toThrow(/at most 990 levels/);
    const loop: unknown[] = [];
    loop.push(loop);
    await expect(fromDict(loop)).rejects.toThrow(/at most 990 levels/);
  });
});

describe('unknown classes', () => {
  const unknown = { '@module': 'pymatgen.core', '@class': 'Structure', sites: [{ $oid: 'x' }] };
  const store = asDict(new MemoryStore());

  test.each<[string, unknown, string]>([
    ['at the top', unknown, '$'],
    ['in a list at the top', [[unknown]], '$[0][0]'],
    ['in a record at the top', { a: [unknown] }, '$.a[0]'],
    ['as an argument', { ...asDict(new Holder(1)), value: unknown }, '$.value'],
    [
      'in a list that is an argument',
      { ...asDict(new Holder(1)), value: [store, unknown] },
      '$.value[1]',
    ],
  ])('are an error %s', async (_name, value, path) => {
    await expect(fromDict(value as object)).rejects.toMatchObject({
      code: 'UNKNOWN_CLASS',
      path,
      module: 'pymatgen.core',
      className: 'Structure',
      message: expect.stringMatching(
        /registerRedirect\("pymatgen.core", "Structure", YourClass\) before loading/,
      ),
    });
    expect(await fromDict(value as object, { unknown: 'keep' })).toBeDefined();
  });

  test.each<[string, unknown]>([
    ['in a record that is an argument', { ...asDict(new Holder(1)), value: { deep: unknown } }],
    ['in a record in a record', { a: { b: unknown } }],
    [
      'in a map',
      JSON.parse(dumps(new Map([['k', 1]])).replace('1]', `${JSON.stringify(unknown)}]`)),
    ],
  ])('are kept as data %s, and written as they were', async (_name, value) => {
    const text = JSON.stringify(value);
    const loaded = await loads(text);
    expect(JSON.parse(dumps(loaded))).toEqual(value);
    expect(dumps(loaded).replaceAll(/([:,]) /g, '$1')).toBe(text);
    await expect(loads(text, { unknown: 'error' })).rejects.toMatchObject({
      code: 'UNKNOWN_CLASS',
    });
  });

  test('values of Python are kept everywhere', async () => {
    for (const value of [
      { '@module': 'numpy', '@class': 'array', dtype: 'int64', data: [1] },
      { '@module': 'pathlib', '@class': 'Path', string: '/x' },
      { value: 'red', '@module': 'golden_pkg.models', '@class': 'Color', '@version': '1' },
      { '@module': 'builtins', '@callable': 'str', '@bound': null },
    ]) {
      const loaded = await fromDict(value, { unknown: 'error' });
      expect(loaded).toEqual(value);
      expect(JSON.parse(dumps([loaded]))).toEqual([value]);
    }
  });

  test('a kept record that is copied is data, never executed', async () => {
    const loaded = (await fromDict({ a: { b: asDict(new Holder(1)) } }, {})) as {
      a: { b: Holder };
    };
    expect(loaded.a.b).toBeInstanceOf(Holder);
    const kept = await fromDict<object>(unknown, { unknown: 'keep' });
    expect(JSON.parse(dumps({ ...kept }))).toMatchObject({ '@module': 'maggma_ts.values' });
    expect(await loads(dumps({ ...kept }))).toEqual(unknown);
  });

  test('nothing inside a kept record is built or imported', async () => {
    const inner = { '@module': './does-not-exist.mjs', '@class': 'X' };
    const value = { ...unknown, inner, holder: asDict(new Holder(1)) };
    expect(await fromDict(value, { unknown: 'keep' })).toEqual(value);
  });

  test('a class may take the place of another', async () => {
    registerRedirect('golden_pkg.other', 'Holder', Holder);
    const value = { ...asDict(new Holder(1)), '@module': 'golden_pkg.other' };
    expect(await fromDict(value)).toBeInstanceOf(Holder);
  });

  test('a module may be loaded on demand', async () => {
    let count = 0;
    registerModule('maggma_ts.lazy', async () => {
      count++;
      MSONable('file:///lazy.js', { module: 'maggma_ts.lazy', name: 'Lazy' })(class {});
    });
    const value = { '@module': 'maggma_ts.lazy', '@class': 'Lazy' };
    await expect(fromDict(value, { allow: () => false })).rejects.toThrow(
      /importing "maggma_ts.lazy" is not allowed here/,
    );
    await fromDict([value, value]);
    expect(count).toBe(1);
    await expect(fromDict({ ...value, '@class': 'Other' })).rejects.toThrow(
      /has no class of that name/,
    );
  });

  test('a type of values may be added', async () => {
    registerValueType('golden_pkg.enums', 'Level', ({ value }) => `level ${value}`);
    const value = { value: 3, '@module': 'golden_pkg.enums', '@class': 'Level' };
    expect(await fromDict([value])).toEqual(['level 3']);
  });

  test('a module of this package that is not there says so', async () => {
    await expect(fromDict({ '@module': 'maggma.stores.aws', '@class': 'S3Store' })).rejects.toThrow(
      /^Unknown class "S3Store" of module "maggma.stores.aws" \(at \$\): this version of the package has no such class/,
    );
  });

  test.each([
    'node:fs',
    'fs',
    'data:text/javascript,globalThis.polluted=1',
    'http://127.0.0.1/x.mjs',
    'maggma/../../etc/x.js',
  ])('%s is never imported', async (module) => {
    await expect(fromDict({ '@module': module, '@class': 'X' })).rejects.toThrow(
      /there is no module/,
    );
    expect('polluted' in globalThis).toBe(false);
  });
});

test("a path of Python's is a record, and its text is at hand", async () => {
  const path = { '@module': 'pathlib', '@class': 'Path', string: 'a.json' };
  const store = await fromDict<JSONStore>({ ...asDict(new JSONStore('x')), paths: [path] });
  expect(store.paths).toEqual(['a.json']);
  expect(pythonPath(path)).toBe('a.json');
  expect(pythonPath('b')).toBe('b');
  expect(pythonPath(5)).toBeUndefined();
  expect(pythonPath({ '@module': 'pathlib', '@class': 'Path' })).toBeUndefined();
});
