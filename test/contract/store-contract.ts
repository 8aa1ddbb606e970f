import { deepStrictEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import { Decimal128, Long, ObjectId, UUID } from 'bson';
import { describe, test } from 'vitest';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import {
  CursorUsedError,
  InvalidDocumentError,
  StoreNotConnectedError,
  ValidationError,
} from '../../src/errors/store-errors.js';
import type { Doc } from '../../src/query/document.js';
import type { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/store-options.js';

/** How the contract gets stores of one kind. */
export interface StoreHarness {
  readonly name: string;
  /** A store that nobody connected, empty, sharing nothing with any other. */
  create(options?: StoreOptions): Store | Promise<Store>;
}

/** What every store must do, whatever its backend. */
export function describeStoreContract({ name, create }: StoreHarness): void {
  const withStore = async (body: (store: Store) => Promise<void>, options: StoreOptions = {}) => {
    await using store = await create({ key: 'k', ...options });
    await store.connect();
    await body(store);
  };
  const without = (docs: readonly Doc[]): Doc[] => docs.map(({ _id, ...rest }) => rest);
  const all = async (store: Store, sort: Record<string, 1 | -1> = { k: 1 }) =>
    without(await store.query({}, { sort }).toArray());

  describe(`store contract: ${name}`, () => {
    describe('lifecycle', () => {
      test('refuses every verb before connect() and after close()', async () => {
        const store = await create({ key: 'k' });
        const verbs = [
          () => store.query().toArray(),
          () => store.queryOne(),
          () => store.count(),
          () => store.distinct('a'),
          () => store.update({ k: 1 }),
          () => store.removeDocs({}),
          () => store.ensureIndex('a'),
          () => store.lastUpdated(),
          () => store.groupBy('a').next(),
        ];
        for (const verb of verbs) await rejects(verb, StoreNotConnectedError);
        await store.connect();
        await store.close();
        for (const verb of verbs) await rejects(verb, StoreNotConnectedError);
      });

      test('can be connected, closed and connected again, any number of times', async () => {
        const store = await create({ key: 'k' });
        await store.close();
        await Promise.all([store.connect(), store.connect()]);
        await store.connect();
        equal(store.connected, true);
        await store.update({ k: 1 });
        await Promise.all([store.close(), store.close()]);
        equal(store.connected, false);
        await store.connect();
        equal(await store.count({}), 1);
        await store.close();
      });

      test('carries out overlapping connect() and close() in their order', async () => {
        const store = await create({ key: 'k' });
        await Promise.all([store.connect(), store.close(), store.connect()]);
        equal(store.connected, true);
        await store.close();
      });

      test('has a name, and an identity that another store does not share', async () => {
        const [one, other] = [await create(), await create()];
        ok(one.name.length > 0);
        ok(one.identity !== other.identity);
      });
    });

    describe('query', () => {
      const docs = [
        { k: 1, a: 'x', n: { m: 1 }, list: [1, 2] },
        { k: 2, a: 'y', n: { m: 2 }, list: [2, 3] },
        { k: 3, a: null, n: {}, list: [] },
        { k: 4, n: { m: '2' } },
      ];

      test('finds by equality, operators, nested names and inside arrays', () =>
        withStore(async (store) => {
          await store.update(docs);
          const keys = async (criteria: Doc) =>
            (await store.query(criteria, { sort: { k: 1 } }).toArray()).map((d) => d['k']);
          deepStrictEqual(await keys({ a: 'x' }), [1]);
          deepStrictEqual(await keys({ a: null }), [3, 4]);
          deepStrictEqual(await keys({ 'n.m': { $gte: 1 } }), [1, 2]);
          deepStrictEqual(await keys({ list: 2 }), [1, 2]);
          deepStrictEqual(await keys({ k: { $in: [4, 2, 9] } }), [2, 4]);
          deepStrictEqual(await keys({ $or: [{ a: 'y' }, { list: { $size: 0 } }] }), [2, 3]);
          deepStrictEqual(await keys({ a: { $regex: '^[xy]$' } }), [1, 2]);
          deepStrictEqual(await keys({ a: /X/i }), [1]);
          deepStrictEqual(await keys({ list: { $exists: false } }), [4]);
        }));

      test('projects, sorts, skips and limits', () =>
        withStore(async (store) => {
          await store.update(docs);
          const found = await store
            .query({}, { properties: ['n.m'], sort: { k: -1 }, skip: 1, limit: 2 })
            .toArray();
          deepStrictEqual(without(found), [{ n: {} }, { n: { m: 2 } }]);
          ok(found.every((doc) => '_id' in doc));
          const excluded = await store.query({ k: 1 }, { properties: { _id: 0, n: 0 } }).toArray();
          deepStrictEqual(excluded, [{ k: 1, a: 'x', list: [1, 2] }]);
          equal((await store.query({}, { limit: 0 }).toArray()).length, 4);
        }));

      test('gives documents one by one, by batch, and ends when the loop is left', () =>
        withStore(async (store) => {
          await store.update(Array.from({ length: 25 }, (_, k) => ({ k })));
          const sizes: number[] = [];
          for await (const batch of store.query().batches(10)) sizes.push(batch.length);
          deepStrictEqual(sizes, [10, 10, 5]);
          let seen = 0;
          for await (const _ of store.query()) if (++seen === 3) break;
          equal(seen, 3);
        }));

      test('can be read only once', () =>
        withStore(async (store) => {
          const cursor = store.query();
          await cursor.toArray();
          await rejects(() => cursor.toArray(), CursorUsedError);
        }));

      test('refuses bad criteria, properties, sorts and numbers at once', () =>
        withStore(async (store) => {
          throws(() => store.query({ $where: 'true' }), InvalidQueryError);
          throws(() => store.query({}, { properties: { a: 1, b: 0 } }), InvalidQueryError);
          throws(() => store.query({}, { sort: { a: 2 as 1 } }), InvalidQueryError);
          throws(() => store.query({}, { skip: -1 }), InvalidOptionError);
          throws(() => store.query({}, { limit: 1.5 }), InvalidOptionError);
        }));

      test('ends when its signal fires', () =>
        withStore(async (store) => {
          await store.update(Array.from({ length: 50 }, (_, k) => ({ k })));
          const controller = new AbortController();
          const read = async () => {
            for await (const _ of store.query({}, { signal: controller.signal }).batches(10))
              controller.abort(new Error('enough'));
          };
          await rejects(read, /enough/);
        }));

      test('returns copies: changing one does not change the store', () =>
        withStore(async (store) => {
          await store.update({ k: 1, n: { list: [1] } });
          const doc = await store.queryOne({ k: 1 });
          doc?.['n'].list.push(2);
          deepStrictEqual(await all(store), [{ k: 1, n: { list: [1] } }]);
        }));

      test('returns null from queryOne when nothing matches', () =>
        withStore(async (store) => equal(await store.queryOne({ k: 1 }), null)));
    });

    describe('update', () => {
      test('replaces the whole document and keeps its _id', () =>
        withStore(async (store) => {
          await store.update({ k: 1, old: true });
          const before = await store.queryOne({ k: 1 });
          ok(before?.['_id'] instanceof ObjectId);
          await store.update({ k: 1, fresh: true });
          deepStrictEqual(await store.query().toArray(), [
            { _id: before['_id'], k: 1, fresh: true },
          ]);
        }));

      test('ignores an incoming _id on replacement, and keeps that of a new document', () =>
        withStore(async (store) => {
          await store.update({ _id: 'mine', k: 1 });
          await store.update({ _id: 'other', k: 1, a: 2 });
          deepStrictEqual(await store.query().toArray(), [{ _id: 'mine', k: 1, a: 2 }]);
        }));

      test('takes another field, or several, as the key', () =>
        withStore(async (store) => {
          await store.update([
            { k: 1, d: 'a', f: 1 },
            { k: 2, d: 'a', f: 2 },
          ]);
          await store.update({ k: 3, d: 'a', f: 2 }, { key: ['d', 'f'] });
          deepStrictEqual(await all(store), [
            { k: 1, d: 'a', f: 1 },
            { k: 3, d: 'a', f: 2 },
          ]);
          await store.update({ k: 9, d: 'b', f: 1 }, { key: 'f' });
          deepStrictEqual(
            (await all(store)).map((d) => d['k']),
            [3, 9],
          );
        }));

      test('takes _id as the key', () =>
        withStore(
          async (store) => {
            await store.update([
              { _id: 'a', v: 1 },
              { _id: 'b', v: 1 },
            ]);
            await store.update({ _id: 'a', v: 2 });
            deepStrictEqual(await store.query({}, { sort: { _id: 1 } }).toArray(), [
              { _id: 'a', v: 2 },
              { _id: 'b', v: 1 },
            ]);
          },
          { key: '_id' },
        ));

      test('takes a nested key', () =>
        withStore(
          async (store) => {
            await store.update([
              { id: { n: 1 }, v: 1 },
              { id: { n: 2 }, v: 1 },
            ]);
            await store.update({ id: { n: 2 }, v: 2 });
            deepStrictEqual(await all(store, { 'id.n': 1 }), [
              { id: { n: 1 }, v: 1 },
              { id: { n: 2 }, v: 2 },
            ]);
          },
          { key: 'id.n' },
        ));

      test('lets the later of equal keys in one call win', () =>
        withStore(async (store) => {
          const { written } = await store.update([
            { k: 1, v: 'first' },
            { k: 2, v: 'other' },
            { k: 1, v: 'last' },
          ]);
          equal(written, 2);
          deepStrictEqual(await all(store), [
            { k: 1, v: 'last' },
            { k: 2, v: 'other' },
          ]);
        }));

      test('takes numbers of different kinds for the same key', () =>
        withStore(async (store) => {
          await store.update({ k: 1, v: 'a' });
          await store.update({ k: Long.fromNumber(1), v: 'b' });
          equal(await store.count({ k: 1 }), 1);
        }));

      test('stores nothing when a document has no key, and says which', () =>
        withStore(async (store) => {
          await rejects(store.update([{ k: 1 }, { a: 2 }]), (error: Error) => {
            ok(error instanceof InvalidDocumentError);
            ok(error.message.includes('$[1]') && error.message.includes('"k"'), error.message);
            return true;
          });
          equal(await store.count({}), 0);
        }));

      test('refuses what cannot be stored, with its path, and stores nothing', () =>
        withStore(async (store) => {
          const cycle: Doc = { k: 1 };
          cycle['self'] = cycle;
          const bad: [Doc, string][] = [
            [{ k: 1, a: { f: () => 1 } }, '$.a.f'],
            [{ k: 1, a: [1, Symbol('s')] }, '$.a[1]'],
            [{ k: 1, a: new Map() }, '$.a'],
            [{ k: 1, a: new Date(Number.NaN) }, '$.a'],
            [{ k: 1, a: new (class Point {})() }, '$.a'],
            [{ k: 1, a: 2n ** 70n }, '$.a'],
            [cycle, '$.self'],
          ];
          for (const [doc, path] of bad)
            await rejects(store.update(doc), (error: Error) => {
              ok(error instanceof InvalidDocumentError, String(error));
              ok(error.message.includes(path), error.message);
              return true;
            });
          equal(await store.count({}), 0);
        }));

      test('refuses a second document with the same _id', () =>
        withStore(async (store) => {
          await store.update({ _id: 1, k: 1 });
          await rejects(store.update({ _id: 1, k: 2 }), InvalidDocumentError);
          deepStrictEqual(await store.query().toArray(), [{ _id: 1, k: 1 }]);
        }));

      test('does nothing for an empty list', () =>
        withStore(async (store) =>
          deepStrictEqual(await store.update([]), { written: 0, refused: [] }),
        ));

      test('drops undefined fields, keeps keys such as __proto__, and never changes its input', () =>
        withStore(async (store) => {
          const doc = Object.freeze({
            k: 1,
            gone: undefined,
            list: Object.freeze([undefined, 1]),
            inner: JSON.parse('{"__proto__": 1, "constructor": 2}'),
          });
          await store.update(doc);
          const [stored = {}] = await all(store);
          deepStrictEqual(Object.keys(stored), ['k', 'list', 'inner']);
          deepStrictEqual(stored['list'], [null, 1]);
          deepStrictEqual(Object.entries(stored['inner']), [
            ['__proto__', 1],
            ['constructor', 2],
          ]);
        }));

      test('gives values back as they were', () =>
        withStore(async (store) => {
          const doc = {
            k: 'types',
            date: new Date('2020-01-02T03:04:05.678Z'),
            old: new Date('0099-01-02T00:00:00.000Z'),
            id: new ObjectId('562e8301218dcbbc3d7d91ce'),
            uuid: new UUID('12345678-1234-5678-1234-567812345678'),
            long: Long.fromString('9007199254740993'),
            decimal: Decimal128.fromString('1.50'),
            nan: Number.NaN,
            inf: Number.NEGATIVE_INFINITY,
            zero: -0,
            float: 1.5,
            text: 'Å😀\u0000"\\',
            nothing: null,
            yes: true,
            regex: /^a\/b/i,
            nested: [{ a: [new Date(0)] }, []],
          };
          await store.update(doc);
          const { _id, ...stored } = (await store.queryOne({ k: 'types' })) ?? {};
          deepStrictEqual(stored, doc);
        }));

      test('turns a bigint into a Long and a Buffer into a Binary', () =>
        withStore(async (store) => {
          await store.update({ k: 1, big: 2n ** 60n, bytes: Buffer.from('abc') });
          const doc = await store.queryOne({ k: 1 });
          equal(String(doc?.['big']), String(2n ** 60n));
          equal(Buffer.from(doc?.['bytes'].buffer).toString().slice(0, 3), 'abc');
        }));

      test('leaves out what a lenient validator refuses, and stores nothing for a strict one', async () => {
        const rules = {
          isValid: (doc: Doc) => typeof doc['v'] === 'number',
          validationErrors: () => ['v: not a number'],
        };
        await withStore(
          async (store) => {
            const result = await store.update([
              { k: 1, v: 1 },
              { k: 2, v: 'x' },
            ]);
            deepStrictEqual(result, {
              written: 1,
              refused: [{ key: 2, reason: 'refused by the validator', paths: ['v: not a number'] }],
            });
            await store.update({ k: 3 }, { validate: false });
            equal(await store.count({}), 2);
          },
          { validator: { ...rules, strict: false } },
        );
        await withStore(
          async (store) => {
            await rejects(
              store.update([
                { k: 1, v: 1 },
                { k: 2, v: 'x' },
              ]),
              ValidationError,
            );
            equal(await store.count({}), 0);
          },
          { validator: { ...rules, strict: true } },
        );
      });
    });

    describe('count, distinct, groupBy, removeDocs, ensureIndex', () => {
      const docs = [
        { k: 1, e: { d: 9 }, tags: ['a', 'b'] },
        { k: 2, e: { d: 9 }, tags: ['b'] },
        { k: 3, e: { d: null } },
        { k: 4, e: {} },
        { k: 5, e: { d: [9] }, tags: [] },
      ];

      test('counts what matches', () =>
        withStore(async (store) => {
          await store.update(docs);
          equal(await store.count(), 5);
          equal(await store.count({ 'e.d': 9 }), 3);
          equal(await store.count({ k: { $in: [1, 2, 77] } }), 2);
        }));

      test('lists distinct values through nesting and arrays', () =>
        withStore(async (store) => {
          await store.update(docs);
          deepStrictEqual((await store.distinct('tags')).sort(), ['a', 'b']);
          deepStrictEqual(await store.distinct('tags', { k: 2 }), ['b']);
          deepStrictEqual(await store.distinct('nowhere'), []);
          const values = await store.distinct('e.d');
          equal(values.length, 2);
          ok(values.includes(9) && values.includes(null));
        }));

      test('groups, with null, missing and arrays apart', () =>
        withStore(async (store) => {
          await store.update(docs);
          const groups: unknown[] = [];
          for await (const { group, docs: members } of store.groupBy(
            'e.d',
            {},
            { properties: ['k'], sort: { k: 1 } },
          ))
            groups.push([group, members.map((d) => d['k'])]);
          deepStrictEqual(groups, [
            [{ e: { d: 9 } }, [1, 2]],
            [{ e: { d: null } }, [3]],
            [{ e: {} }, [4]],
            [{ e: { d: [9] } }, [5]],
          ]);
        }));

      test('removes what matches and says how many', () =>
        withStore(async (store) => {
          await store.update(docs);
          equal(await store.removeDocs({ 'e.d': 9 }), 3);
          equal(await store.removeDocs({ k: 77 }), 0);
          equal(await store.count({}), 2);
          equal(await store.removeDocs({}), 2);
          equal(await store.count({}), 0);
        }));

      test('keeps indexes right when documents change and go', () =>
        withStore(async (store) => {
          equal(await store.ensureIndex('tags'), true);
          await store.update(docs);
          await store.update({ k: 1, tags: ['c'] });
          await store.removeDocs({ k: 2 });
          equal(await store.count({ tags: 'b' }), 0);
          equal(await store.count({ tags: 'c' }), 1);
          equal(await store.ensureIndex(['tags', 'k']), true);
        }));
    });

    describe('time stamps', () => {
      const at = (seconds: number) => new Date(Date.UTC(2020, 0, 1, 0, 0, seconds));

      test('has no newest time stamp when it is empty, or has none', () =>
        withStore(async (store) => {
          equal(await store.lastUpdated(), null);
          await store.update({ k: 1 });
          equal(await store.lastUpdated(), null);
        }));

      test('finds the newest time stamp among dates and texts of any zone', () =>
        withStore(async (store) => {
          await store.update([
            { k: 1, last_updated: at(5) },
            { k: 2, last_updated: '2020-01-01T00:00:09' },
            { k: 3, last_updated: '2020-01-01T01:00:07+01:00' },
            { k: 4 },
          ]);
          deepStrictEqual(await store.lastUpdated(), at(9));
        }));

      test('lists the keys that are absent here or older here', async () => {
        await using target = await create({ key: 'k' });
        await using source = await create({ key: 'id', lastUpdatedField: 'changed' });
        await target.connect();
        await source.connect();
        await target.update([
          { k: 1, last_updated: at(1) },
          { k: 2, last_updated: at(1) },
          { k: 'c', last_updated: at(9) },
          { k: 'd' },
          { k: 'e', last_updated: at(1) },
        ]);
        await source.update([
          { id: 1, changed: at(1) },
          { id: 2, changed: '2020-01-01T00:00:02Z' },
          { id: 'c', changed: at(2) },
          { id: 'd', changed: at(2) },
          { id: 'e' },
          { id: 'f' },
          { id: new ObjectId('562e8301218dcbbc3d7d91ce'), changed: at(1) },
        ]);
        const keys = await target.newerIn(source).toArray();
        deepStrictEqual(keys.map(String), ['2', 'd', 'f', '562e8301218dcbbc3d7d91ce']);
        deepStrictEqual(await target.newerIn(source, { criteria: { id: 'd' } }).toArray(), ['d']);
        deepStrictEqual(await target.newerIn(source, { exhaustive: false }).toArray(), []);
      });
    });
  });
}
