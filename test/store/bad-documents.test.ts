import { deepStrictEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Long, ObjectId } from 'bson';
import { afterAll, describe, expect, test } from 'vitest';
import { InvalidDocumentError } from '../../src/errors/store-errors.js';
import type { Doc } from '../../src/query/document.js';
import { JSONStore } from '../../src/store/memory/json-store.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import type { Store } from '../../src/store/store.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-bad-documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

interface Backend {
  readonly name: 'MemoryStore' | 'JSONStore' | 'SQLiteStore';
  /** A file of its own, which is not there yet; the same one makes the same store again. */
  create(file: string): Store;
  readonly survives: boolean;
}

const BACKENDS: readonly Backend[] = [
  { name: 'MemoryStore', create: () => new MemoryStore({ key: 'k' }), survives: false },
  {
    name: 'JSONStore',
    create: (file) => new JSONStore(`${file}.json`, { key: 'k', readOnly: false }),
    survives: true,
  },
  {
    name: 'SQLiteStore',
    create: (file) => new SQLiteStore(`${file}.db`, 'docs', { key: 'k' }),
    survives: true,
  },
];

/** What the store holds before, and must still hold after. */
const BEFORE: readonly Doc[] = [
  { _id: 'first', k: 'before', v: 1 },
  { _id: 'second', k: 'bad', v: [{ deep: true }] },
];

/** What becomes of a document: it is stored, or refused with the path of what is wrong. */
type Outcome = 'stored' | { readonly refusedAt: string };

interface BadDocument {
  readonly doc: unknown;
  readonly outcome: Outcome;
  /** Where one backend differs from the others. */
  readonly except?: Partial<Record<Backend['name'], Outcome>>;
  /** As it is given back, when not as it came. */
  readonly back?: Doc;
  /** As one backend alone gives it back when it is opened again. */
  readonly backFrom?: Partial<Record<Backend['name'], Doc>>;
}

const refusedAt = (place: string) => ({ refusedAt: place }) as const;
const parsed = (json: string): Doc => JSON.parse(json);
const nested = (levels: number): Doc => (levels === 0 ? {} : { a: nested(levels - 1) });

const cycle: Doc = { k: 'bad' };
cycle['a'] = { back: cycle };
const listCycle: unknown[] = [];
listCycle.push(listCycle);

class Point {
  x = 1;
}

/** A value in a field; refused with its path. */
const VALUES: Readonly<Record<string, unknown>> = {
  'a function': () => 1,
  'an async function': async () => 1,
  'a class': Point,
  'a symbol': Symbol('s'),
  'an instance of a class': new Point(),
  'an instance of a class without fields': new (class Empty {})(),
  'an error': new Error('no'),
  'a Map': new Map([['a', 1]]),
  'a Set': new Set([1]),
  'a promise': Promise.resolve(1),
  'a boxed string': Object('text'),
  'a boxed number': Object(1),
  'a list of floats': new Float64Array(2),
  'an ArrayBuffer': new ArrayBuffer(2),
  'a URL': new URL('http://localhost/'),
  'an invalid Date': new Date(Number.NaN),
  'a bigint of more than 64 bits': 2n ** 64n,
  'an object with an inherited field': Object.create({ inherited: 1 }),
};

const DOCUMENTS: Readonly<Record<string, BadDocument>> = {
  'no key': { doc: { a: 1 }, outcome: refusedAt('$') },
  'an undefined key': { doc: { k: undefined, a: 1 }, outcome: refusedAt('$') },
  'nothing at all': { doc: {}, outcome: refusedAt('$') },
  'a key of null': { doc: { k: null, a: 1 }, outcome: 'stored' },
  'an empty text as key': { doc: { k: '', a: 1 }, outcome: 'stored' },
  'a key that is not a number': { doc: { k: Number.NaN, a: 1 }, outcome: 'stored' },
  'a key of negative zero': { doc: { k: -0, a: 1 }, outcome: 'stored' },
  'a boolean key': { doc: { k: false, a: 1 }, outcome: 'stored' },
  'a Long key': { doc: { k: Long.fromString('9007199254740993'), a: 1 }, outcome: 'stored' },
  'a Date key': { doc: { k: new Date(0), a: 1 }, outcome: 'stored' },
  'an ObjectId key': {
    doc: { k: new ObjectId('562e8301218dcbbc3d7d91ce'), a: 1 },
    outcome: 'stored',
  },
  'a document as key': { doc: { k: { a: { b: [1] } } }, outcome: 'stored' },
  'an empty document as key': { doc: { k: {} }, outcome: 'stored' },
  'a list as key': { doc: { k: ['x', 'y'] }, outcome: 'stored' },
  'an empty list as key': { doc: { k: [] }, outcome: 'stored' },
  'a list that holds a stored key': { doc: { k: ['before', 'bad'] }, outcome: 'stored' },
  'a function as key': { doc: { k: () => 1 }, outcome: refusedAt('$.k') },
  'an invalid Date as key': { doc: { k: new Date(Number.NaN) }, outcome: refusedAt('$.k') },
  'null instead of a document': { doc: null, outcome: refusedAt('$') },
  'undefined instead of a document': { doc: undefined, outcome: refusedAt('$') },
  'a text instead of a document': { doc: 'k', outcome: refusedAt('$') },
  'a number instead of a document': { doc: 7, outcome: refusedAt('$') },
  'a Date instead of a document': { doc: new Date(0), outcome: refusedAt('$') },
  'a function instead of a document': { doc: () => ({ k: 1 }), outcome: refusedAt('$') },
  'an instance of a class instead of a document': { doc: new Point(), outcome: refusedAt('$') },
  'a Map instead of a document': { doc: new Map([['k', 1]]), outcome: refusedAt('$') },
  'a cycle': { doc: cycle, outcome: refusedAt('$.a.back') },
  'a list that contains itself': { doc: { k: 'bad', a: listCycle }, outcome: refusedAt('$.a[0]') },
  'too many levels': { doc: { k: 'bad', ...nested(500) }, outcome: refusedAt('$.a.a') },
  'a hundred levels': { doc: { k: 'deep', ...nested(100) }, outcome: 'stored' },
  'a list as _id': { doc: { _id: [1], k: 'new' }, outcome: refusedAt('$._id') },
  'a regular expression as _id': { doc: { _id: /a/, k: 'new' }, outcome: refusedAt('$._id') },
  'the _id of another document': { doc: { _id: 'first', k: 'new' }, outcome: refusedAt('$._id') },
  'an _id of null': { doc: { _id: null, k: 'new' }, outcome: 'stored' },
  'a document as _id': { doc: { _id: { a: [1] }, k: 'new' }, outcome: 'stored' },
  'an undefined field': { doc: { k: 'new', a: undefined }, outcome: 'stored', back: { k: 'new' } },
  'an undefined element': {
    doc: { k: 'new', a: [undefined] },
    outcome: 'stored',
    back: { k: 'new', a: [null] },
  },
  'a list with holes': {
    doc: { k: 'new', a: Object.assign(new Array(2), { 1: 1 }) },
    outcome: 'stored',
    back: { k: 'new', a: [null, 1] },
  },
  'a document without a prototype': {
    doc: Object.assign(Object.create(null), { k: 'new', a: Object.create(null) }),
    outcome: 'stored',
    back: { k: 'new', a: {} },
  },
  'a field that starts with a dollar': { doc: { k: 'new', $set: { a: 1 } }, outcome: 'stored' },
  'a nested field that starts with a dollar': {
    doc: { k: 'new', a: [{ $inc: 1 }] },
    outcome: 'stored',
  },
  'a lone dollar': { doc: { k: 'new', $: 1, a: { $: 2 } }, outcome: 'stored' },
  'a reference to another collection': {
    doc: { k: 'new', a: { $ref: 'other', $id: 1 } },
    outcome: 'stored',
    except: { JSONStore: refusedAt('$.a') },
  },
  'what looks like an ObjectId in JSON': {
    doc: { k: 'new', a: { $oid: '562e8301218dcbbc3d7d91ce' } },
    outcome: 'stored',
    except: { JSONStore: refusedAt('$.a') },
  },
  'what looks like a Date in JSON, in a list': {
    doc: { k: 'new', a: [{ $date: 'x' }] },
    outcome: 'stored',
    except: { JSONStore: refusedAt('$.a') },
  },
  'a key that looks like a number in JSON': {
    doc: { k: { $numberLong: '7' } },
    outcome: 'stored',
    except: { JSONStore: refusedAt('$.k') },
  },
  'a document that looks like a Date in JSON': {
    doc: { k: 'new', $date: 'x' },
    outcome: 'stored',
    except: { JSONStore: refusedAt('$') },
  },
  'names with dots': { doc: { k: 'new', 'a.b': 1, a: { 'c.d': { '.': 2 } } }, outcome: 'stored' },
  'an empty name': { doc: { k: 'new', '': 1, a: { '': { '': 2 } } }, outcome: 'stored' },
  'a field __proto__': { doc: parsed('{"k":"new","__proto__":{"v":1}}'), outcome: 'stored' },
  'a nested field __proto__': {
    doc: parsed('{"k":"new","a":[{"__proto__":{"__proto__":null}}]}'),
    outcome: 'stored',
  },
  'a Date in a field __proto__': {
    doc: withDate(parsed('{"k":"new","__proto__":{}}')),
    outcome: 'stored',
  },
  'names of methods': {
    doc: parsed(
      '{"k":"new","constructor":1,"toString":2,"hasOwnProperty":{"valueOf":3},"toJSON":4,"then":5}',
    ),
    outcome: 'stored',
  },
  'a text as time stamp': {
    doc: { k: 'new', last_updated: '2020-01-02T03:04:05.678901+01:00' },
    outcome: 'stored',
    // A JSON file has texts only, so all of them are read as dates.
    backFrom: { JSONStore: { k: 'new', last_updated: new Date('2020-01-02T02:04:05.678Z') } },
  },
  'what is no time stamp': { doc: { k: 'new', last_updated: ['yesterday', 7] }, outcome: 'stored' },
  'a time stamp far away': {
    doc: { k: 'new', last_updated: new Date(8.64e15) },
    outcome: 'stored',
  },
  'a name with NUL': { doc: { k: 'new', 'a\0b': 1 }, outcome: 'stored' },
  'a broken text, also as a name': {
    doc: { k: 'new', a: '\ud800', '\udc00': 1 },
    outcome: 'stored',
  },
  'numbers as names': { doc: { k: 'new', 1: 'a', 0: 'b', a: { 10: 1, 9: 2 } }, outcome: 'stored' },
  'a field length': { doc: { k: 'new', length: 3, a: { length: -1 } }, outcome: 'stored' },
  'the mark of BSON classes as a field': {
    doc: { k: 'new', a: { b: parsed('{"_bsontyp":"x"}') } },
    outcome: 'stored',
  },
  ...Object.fromEntries(
    Object.entries(VALUES).flatMap(([name, value]) => [
      [`${name} in a field`, { doc: { k: 'bad', a: { b: value } }, outcome: refusedAt('$.a.b') }],
      [
        `${name} in a list`,
        { doc: { k: 'bad', a: [1, [value]] }, outcome: refusedAt('$.a[1][0]') },
      ],
    ]),
  ),
};

function withDate(doc: Doc): Doc {
  const field = {
    value: { at: new Date(5) },
    enumerable: true,
    configurable: true,
    writable: true,
  };
  return Object.defineProperty(doc, '__proto__', field);
}

const sorted = (store: Store) => store.query({}, { sort: { _id: 1 } }).toArray();

describe.each(BACKENDS.map((backend) => [backend.name, backend] as const))('%s', (_, backend) => {
  const counts = { stored: 0, refused: 0 };

  /** Opens the same store anew, when it is kept anywhere. */
  async function reopened(store: Store, file: string): Promise<Store> {
    if (!backend.survives) return store;
    await store.close();
    const again = backend.create(file);
    await again.connect();
    return again;
  }

  async function withStore(body: (store: Store, file: string) => Promise<void>): Promise<void> {
    const file = path.join(folder, `${++files}`);
    await using store = backend.create(file);
    await store.connect();
    await store.update(BEFORE);
    await body(store, file);
  }

  test.each(Object.entries(DOCUMENTS))(
    '%s: stored exactly, or refused by name with nothing lost',
    (_, bad) =>
      withStore(async (store, file) => {
        const { doc } = bad;
        const back = bad.backFrom?.[backend.name] ?? bad.back;
        const outcome = bad.except?.[backend.name] ?? bad.outcome;
        if (outcome === 'stored') {
          const [same = {}] = back ? [back] : [doc as Doc];
          for (let round = 0; round < 2; round++)
            // The second time it takes its own place.
            expect(await store.update(doc as Doc)).toEqual({ written: 1, refused: [] });
          await using again = await reopened(store, file);
          const found = (await again.query().toArray()).filter(
            ({ _id }) => _id !== 'first' && _id !== 'second',
          );
          const known = same['_id'] === undefined ? found.map(({ _id, ...rest }) => rest) : found;
          deepStrictEqual(known, [same]);
          deepStrictEqual((await sorted(again)).length, 3);
          counts.stored++;
          return;
        }
        const good = { _id: 'new', k: 'good' };
        for (const [docs, place] of [
          [doc, outcome.refusedAt],
          [
            [good, doc],
            outcome.refusedAt.replace('$', outcome.refusedAt === '$._id' ? '$' : '$[1]'),
          ],
        ] as const) {
          const failure = await store.update(docs as Doc).then(
            () => undefined,
            (error: unknown) => error,
          );
          expect(failure).toBeInstanceOf(InvalidDocumentError);
          const { path: found, message } = failure as InvalidDocumentError;
          expect(found.startsWith(place), `${found} for ${place}`).toBe(true);
          expect(message).toContain(found);
          deepStrictEqual(await sorted(store), BEFORE);
        }
        await using again = await reopened(store, file);
        deepStrictEqual(await sorted(again), BEFORE);
        await again.update(good);
        deepStrictEqual(await again.count({}), 3);
        counts.refused++;
      }),
  );

  test('a getter that throws leaves what was stored as it was', () =>
    withStore(async (store) => {
      const trap = {
        k: 'bad',
        get a() {
          throw new Error('trapped');
        },
      };
      await expect(store.update([{ k: 'good' }, trap])).rejects.toThrow('trapped');
      deepStrictEqual(await sorted(store), BEFORE);
    }));

  test('a refusal of one among several documents says which one', () =>
    withStore(async (store) => {
      // A JSON file alone refuses the first one, the others no store takes.
      for (const a of [[{ $oid: 'x' }], [Symbol('s')], [new Point()]]) {
        const failure = await store.update([{ k: 'good' }, { k: 'culprit', a }]).then(
          () => undefined,
          (error: Error) => error.message,
        );
        if (failure !== undefined) expect(failure).toMatch(/\$\[1\]\.a\[0\]|culprit/);
      }
    }));

  test('documents that only another key tells apart are still there when the store is opened again', () =>
    withStore(async (store, file) => {
      const docs = [
        { _id: 1, k: 'twice', f: 1 },
        { _id: 2, k: 'twice', f: 2 },
      ];
      await store.update(docs, { key: 'f' });
      await using again = await reopened(store, file);
      deepStrictEqual(await again.query({ k: 'twice' }, { sort: { _id: 1 } }).toArray(), docs);
    }));

  test('a document stored by another key, without the own one, does not make the store unreadable', () =>
    withStore(async (store, file) => {
      const doc = { _id: 1, f: 1 };
      const failure = await store.update(doc, { key: 'f' }).then(
        () => undefined,
        (error: unknown) => error,
      );
      // Either is right, as long as nothing is lost.
      if (failure !== undefined) expect(failure).toBeInstanceOf(InvalidDocumentError);
      await using again = await reopened(store, file);
      deepStrictEqual(await again.query({ f: 1 }).toArray(), failure === undefined ? [doc] : []);
      deepStrictEqual(
        await again.query({ f: { $exists: false } }, { sort: { _id: 1 } }).toArray(),
        BEFORE,
      );
    }));

  afterAll(() =>
    console.log(
      `bad documents, ${backend.name}: ${counts.stored} stored, ${counts.refused} refused`,
    ),
  );
});
