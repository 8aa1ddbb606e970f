import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { Decimal128, Long, ObjectId, UUID } from 'bson';
import { InvalidDocumentError } from '../errors/store-errors.js';
import type { Doc } from '../query/document.js';
import type { StoreSuite } from './store-suite.js';

/** What documents may hold, and how it comes back. */
export function testValues({ it, withStore, all }: StoreSuite): void {
  it('refuses what cannot be stored, with its path, and stores nothing', () =>
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

  it('drops undefined fields, keeps keys such as __proto__, and never changes its input', () =>
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

  it('gives values back as they were', () =>
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

  it('turns a bigint into a Long and a Buffer into a Binary', () =>
    withStore(async (store) => {
      await store.update({ k: 1, big: 2n ** 60n, bytes: Buffer.from('abc') });
      const doc = await store.queryOne({ k: 1 });
      equal(String(doc?.['big']), String(2n ** 60n));
      equal(Buffer.from(doc?.['bytes'].buffer).toString().slice(0, 3), 'abc');
    }));
}
