import { describe, expect, test, vi } from 'vitest';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { MSONable } from '../../src/msonable/decorators.js';
import { asDict } from '../../src/msonable/dump.js';
import { fromDict } from '../../src/msonable/load.js';
import { SerialProcessor } from '../../src/processor/serial/serial-processor.js';
import type { Doc } from '../../src/query/document.js';
import type { Validator } from '../../src/store/validator.js';
import { at, contents, storeWith } from '../fixtures/stores.js';
import { built, KEYS, ListBuilder, planOf, source, target } from './group-list-builder.js';

/** Refuses lists of more than one value. */
@MSONable(import.meta.url, { module: 'maggma_ts.test' })
class ShortLists implements Validator {
  readonly strict = false;
  readonly fingerprint = '1';

  isValid(doc: Doc) {
    return doc['values'].length < 2;
  }

  validationErrors() {
    return ['values: too many'];
  }
}

describe('what is written', () => {
  test('a target document has the key, the newest stamp, the members, the result and our fields', async () => {
    const to = await target();
    await new ListBuilder(await source(), to, KEYS).run();
    expect(await to.queryOne({ g: 'a' })).toEqual({
      _id: expect.anything(),
      g: 'a',
      last_updated: at(5),
      ks: [1, 2],
      values: [10, 20],
      state: 'successful',
      _process_time: expect.any(Number),
      _bt: expect.any(Date),
    });
  });

  test("what is ours is not the result's to set, but a field called like the source's key is its own", async () => {
    const [from, to] = [await source(), await storeWith([], { key: 'id', lastUpdatedField: 'lu' })];
    const rude = () => ({ _id: 0, id: 'x', lu: 0, ks: [9], _bt: 0, k: 'best', last_updated: 7 });
    const builder = () => new ListBuilder(from, to, KEYS, { storeProcessTime: false }, rude);
    await builder().run();
    expect(await to.query({}, { sort: { id: 1 } }).toArray()).toEqual([
      expect.objectContaining({ id: 'a', lu: at(5), ks: [1, 2], k: 'best', last_updated: 7 }),
      expect.objectContaining({ id: 'b', lu: at(3), ks: [3], k: 'best', last_updated: 7 }),
    ]);
    expect((await builder().run()).total).toBe(0);
  });

  test('dotted names of keys, time stamps and grouping fields work', async () => {
    const store = { key: 'id.n', lastUpdatedField: 'm.t' };
    const from = await storeWith([{ id: { n: 1 }, m: { t: at(1) }, x: { g: 'a' } }], store);
    const to = await storeWith([], { key: 'id.of', lastUpdatedField: 'm.t' });
    const builder = () => new ListBuilder(from, to, ['x.g'], {}, () => ({ id: { own: 1 } }));
    await builder().run();
    expect(await contents(to)).toEqual([
      { id: { own: 1, of: 'a', ns: [1] }, m: { t: at(1) }, state: 'successful' },
    ]);
    expect((await builder().run()).total).toBe(0);
  });

  test('what unaryFunction does to its documents does not change the record of the group', async () => {
    const [from, to] = [await source(), await target()];
    const spoil = (items: Doc[]) => {
      items.reverse();
      for (const item of items) for (const name of Object.keys(item)) delete item[name];
      items.pop();
      throw new RangeError('no');
    };
    await new ListBuilder(from, to, KEYS, {}, spoil).run();
    expect(await contents(to)).toEqual([
      { g: 'a', last_updated: at(5), ks: [1, 2], error: 'no', state: 'failed' },
      { g: 'b', last_updated: at(3), ks: [3], error: 'no', state: 'failed' },
    ]);
  });

  test('projection gives the members these fields, key, time stamp and grouping fields, in order', async () => {
    const from = await storeWith([
      { k: 2, g: { h: 1, i: 2 }, v: 1, w: 1, last_updated: at(1) },
      { k: 1, g: { h: 1, i: 3 }, v: 2, w: 1, last_updated: at(2) },
    ]);
    const builder = new ListBuilder(from, await target(), ['g.h'], { projection: ['v'] });
    await builder.run();
    expect(builder.calls.map((items) => items.map(({ _id, ...fields }) => fields))).toEqual([
      [
        { k: 1, g: { h: 1 }, v: 2, last_updated: at(2) },
        { k: 2, g: { h: 1 }, v: 1, last_updated: at(1) },
      ],
    ]);
  });
});

describe('what is built', () => {
  test('every group at first, then none, then those with a changed member', async () => {
    const [from, to] = [await source(), await target()];
    expect(await built(from, to)).toEqual([[1, 2], [3]]);
    expect(await built(from, to)).toEqual([]);
    // D-01: it was in a group before.
    await from.update({ k: 1, g: 'a', v: 11, last_updated: at(6) });
    expect(await built(from, to)).toEqual([[1, 2]]);
    expect((await contents(to))[0]).toMatchObject({ values: [11, 20], last_updated: at(6) });
    expect(await built(from, to)).toEqual([]);
  });

  test('a new member and one that went rebuild their group, whatever their time stamps', async () => {
    const [from, to] = [await source(), await target()];
    await built(from, to);
    await from.update([{ k: 4, g: 'b', last_updated: at(0) }]);
    expect(await built(from, to)).toEqual([[3, 4]]);
    await from.removeDocs({ k: 2 });
    expect(await built(from, to)).toEqual([[1]]);
    expect((await contents(to))[0]).toMatchObject({ ks: [1], last_updated: at(1) });
    expect(await built(from, to)).toEqual([]);
  });

  test('a document that moves rebuilds the group that it left and the one that it joined, once', async () => {
    const [from, to] = [await source(), await target()];
    await built(from, to);
    await from.update({ k: 2, g: 'b', v: 20, last_updated: at(5) });
    expect(await built(from, to)).toEqual([[1], [2, 3]]);
    expect(await built(from, to)).toEqual([]);
  });

  test('as in Python, a query leaves one of 20 documents out, and the second run builds nothing', async () => {
    // GB-7.
    const docs = Array.from({ length: 20 }, (_, k) => ({ k, g: k % 3, last_updated: at(k) }));
    const [from, to] = [await storeWith(docs), await target()];
    const query = { k: { $gt: 0 } };
    const groups = await built(from, to, { query });
    expect([groups.length, groups.flat().length]).toEqual([3, 19]);
    expect(await built(from, to, { query })).toEqual([]);
  });

  test('a query on a field that only the source has, or on a grouping key, is about the source alone', async () => {
    const [from, to] = [await source(), await target()];
    // D-03, D-04.
    const query = { g: { $in: ['a', 'b'] }, v: { $gt: 10 } };
    expect(await built(from, to, { query })).toEqual([[2], [3]]);
    expect(await built(from, to, { query })).toEqual([]);
  });

  test.each([
    ['text with microseconds', '2020-01-01T00:00:01.123456'],
    ['text with a zone', '2020-01-01T05:30:01+05:30'],
    ['nothing', undefined],
    ['null', null],
    ['nonsense', 'soon'],
  ])('time stamps that are %s converge', async (_, stamp) => {
    const from = await storeWith([{ k: 1, g: 'a', last_updated: stamp }]);
    const to = await target();
    expect(await built(from, to)).toEqual([[1]]);
    expect(await built(from, to)).toEqual([]);
  });

  test('a time stamp that cannot be read is a warning that names the document', async () => {
    const from = await storeWith([{ k: 'bad', g: 'a', last_updated: 'soon' }]);
    const builder = new ListBuilder(from, await target(), KEYS);
    const warn = vi.spyOn(builder.logger, 'warn');
    await builder.run();
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining("last_updated of 'bad' in mem://memory_db is not a readable")],
    ]);
  });

  test('a target that is newer is left alone, with one warning, unless its members changed', async () => {
    const [from, to] = [await source(), await target()];
    await built(from, to);
    for (const g of ['a', 'b']) {
      const doc = (await to.queryOne({ g })) as Doc;
      await to.update({ ...doc, own: true, last_updated: at(50) });
    }
    await to.update({ g: 'a', by: 'hand', last_updated: at(50) });
    await from.removeDocs({ k: 3 });
    await from.update({ k: 4, g: 'b', last_updated: at(4) });
    const builder = new ListBuilder(from, to, KEYS);
    expect(await builder.run()).toMatchObject({ total: 1, warnings: 1 });
    expect(builder.calls).toHaveLength(1);
    expect((await contents(to))[0]).toEqual({ g: 'a', by: 'hand', last_updated: at(50) });
  });

  test('a target document without a list of members, or without a time stamp, is built again', async () => {
    const to = await target();
    await to.update([
      { g: 'a', last_updated: at(5) },
      { g: 'b', ks: [3] },
    ]);
    expect(await built(await source(), to)).toEqual([[1, 2], [3]]);
  });

  test('documents without a key are left out, with one warning', async () => {
    const from = await source();
    await from.update(
      [
        { _id: 'x', g: 'a' },
        { _id: 'y', g: 'c', k: null },
      ],
      { key: '_id' },
    );
    const builder = new ListBuilder(from, await target(), KEYS);
    expect(await builder.run()).toMatchObject({ succeeded: 2, warnings: 1 });
  });

  test('of several documents with one key the newest is a member, of its group only', async () => {
    const from = await storeWith([]);
    const docs = [
      { _id: 1, k: 1, g: 'a', v: 'old', last_updated: at(1) },
      { _id: 2, k: 1, g: 'b', v: 'new', last_updated: at(9) },
      { _id: 3, k: 1, g: 'b', v: 'older', last_updated: at(2) },
      { _id: 4, k: 2, g: 'a', v: 'only', last_updated: at(1) },
      { _id: 5, k: 3, g: 'c', v: 'same', last_updated: at(1) },
      { _id: 6, k: 3, g: 'd', v: 'same', last_updated: at(1) },
    ];
    for (const order of [docs, docs.toReversed()]) {
      await from.removeDocs({});
      await from.update(order, { key: '_id' });
      const to = await target();
      const builder = new ListBuilder(from, to, KEYS);
      expect(await builder.run()).toMatchObject({ total: 3, warnings: 1 });
      expect((await contents(to)).map((doc) => [doc['g'], doc['ks'], doc['values']])).toEqual([
        ['a', [2], ['only']],
        ['b', [1], ['new']],
        ['c', [3], ['same']],
      ]);
      expect(await built(from, to)).toEqual([]);
    }
  });

  test.each([
    ['moves', { k: 3, g: 'a', last_updated: at(3) }],
    ['no longer matches', { k: 3, g: 'b', old: true, last_updated: at(3) }],
  ])('a member that %s while the build runs is left out', async (_, change) => {
    const [from, to] = [await source(), await target()];
    const builder = new ListBuilder(from, to, KEYS, { query: { old: null } });
    const found: unknown[] = [];
    for await (const batch of builder.getItems().batches(1)) {
      found.push(...batch.map((items) => items.map((item) => item['k'])));
      await from.update(change);
    }
    expect(found).toEqual([[1, 2]]);
  });

  test('of several target documents with one key the newest counts', async () => {
    const [from, to] = [await source(), await target()];
    const docs = [
      { _id: 1, g: 'a', ks: [1, 2], last_updated: at(5) },
      { _id: 2, g: 'a', ks: [1], last_updated: at(1) },
      { _id: 3, g: 'b', ks: [], last_updated: at(1) },
      { _id: 4, g: 'b', ks: [3], last_updated: at(3) },
    ];
    await to.update(docs, { key: '_id' });
    expect(await built(from, to)).toEqual([]);
  });

  test('fullRefresh builds everything, and compare: content what really changed', async () => {
    const [from, to] = [await source(), await target()];
    await built(from, to);
    const fresh = new ListBuilder(from, to, KEYS);
    fresh.fullRefresh = true;
    expect((await fresh.run()).total).toBe(2);
    const byContent = { compare: 'content', projection: ['v'] } as const;
    expect(await built(from, to, byContent)).toEqual([[1, 2], [3]]);
    // The first is a change that time stamps do not show, the second only changes one.
    await from.update({ k: 1, g: 'a', v: 11, last_updated: at(1) });
    await from.update({ k: 3, g: 'b', v: 30, other: 1, last_updated: at(9) });
    expect(await built(from, to, byContent)).toEqual([[1, 2]]);
    expect(await built(from, to, byContent)).toEqual([]);
    expect(
      await planOf(new ListBuilder(from, to, ['g'], { ...byContent, projection: ['w'] })),
    ).toEqual([
      ['a', 'build', 'content'],
      ['b', 'build', 'content'],
    ]);
  });

  test('keys of members that are too many for memory are read again, with the same result', async () => {
    const docs = Array.from({ length: 97 }, (_, k) => ({
      k,
      g: k % 13,
      v: k,
      last_updated: at(k),
    }));
    const from = await storeWith(docs);
    const [few, many] = [await target(), await target()];
    await new ListBuilder(from, many, KEYS, { chunkSize: 10 }).run();
    const builder = new ListBuilder(from, few, KEYS, { chunkSize: 10 });
    builder.memory = 5;
    await builder.run();
    expect(await contents(few)).toEqual(await contents(many));
  });
});

describe('failures and skips', () => {
  const failing = (items: Doc[]) => {
    if (items.length === 2) throw new RangeError('two is bad');
    return items[0]?.['k'] === 3 ? null : { ok: true };
  };

  test('a failed and a skipped group are recorded with their members, and wait for a change', async () => {
    const [from, to] = [await source(), await target()];
    const report = await new ListBuilder(from, to, KEYS, {}, failing).run();
    expect(report).toMatchObject({ failed: 1, skipped: 1, status: 'succeeded' });
    expect(report.failures).toMatchObject([{ key: 'a', error: { message: 'two is bad' } }]);
    expect(await contents(to)).toEqual([
      { g: 'a', last_updated: at(5), ks: [1, 2], error: 'two is bad', state: 'failed' },
      { g: 'b', last_updated: at(3), ks: [3], state: 'skipped' },
    ]);
    expect(await built(from, to)).toEqual([]);
    expect(await built(from, to, { retryFailed: true, query: { g: 'b' } })).toEqual([]);
    expect(await built(from, to, { retryFailed: true })).toEqual([[1, 2]]);
    await from.update({ k: 4, g: 'b' });
    expect(await built(from, to)).toEqual([[3, 4]]);
  });

  test('a refused result is remembered with its members', async () => {
    const validator = new ShortLists();
    const [from, to] = [await source(), await storeWith([], { key: 'g', validator })];
    for (const compare of ['timestamp', 'content'] as const) {
      await to.removeDocs({});
      const report = await new ListBuilder(from, to, KEYS, { compare }).run();
      expect(report).toMatchObject({ succeeded: 1, invalid: 1 });
      expect((await contents(to, '_schema', '_hash'))[0]).toMatchObject({
        g: 'a',
        ks: [1, 2],
        state: 'failed',
        error: expect.stringContaining('too many'),
      });
      expect(await built(from, to, { compare })).toEqual([]);
    }
  });

  test('a group that is tried again has its members in order again', async () => {
    const seen: unknown[] = [];
    const sorting = (items: Doc[]) => {
      seen.push(items.map((item) => item['k']));
      items.reverse();
      throw new RangeError('no');
    };
    const builder = new ListBuilder(
      await source(),
      await target(),
      KEYS,
      { query: { g: 'a' } },
      sorting,
    );
    await new SerialProcessor({ retry: { attempts: 2, delayMs: 0 } }).run(builder);
    expect(seen).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('a group that awaits too long fails alone', async () => {
    const to = await target();
    const slow = (items: Doc[]) => (items.length === 2 ? new Promise<Doc>(() => {}) : { ok: 1 });
    const builder = new ListBuilder(await source(), to, KEYS, { timeout: 0.05 }, slow);
    expect(await builder.run()).toMatchObject({ succeeded: 1, failed: 1 });
    expect((await contents(to))[0]).toMatchObject({ error: 'timeout after 0.05 s', ks: [1, 2] });
  });
});

test("files hold its arguments under Python's names, and others only when they were given", async () => {
  const store = await target();
  const plain = asDict(new ListBuilder(store, store, ['g', 'h.i'], { chunkSize: 3 }));
  expect(Object.keys(plain).slice(3)).toEqual([
    'source',
    'target',
    'grouping_keys',
    'query',
    'projection',
    'timeout',
    'store_process_time',
    'retry_failed',
    'chunk_size',
  ]);
  const options = { targetKey: 'firstMember', deleteOrphans: true } as const;
  const dict = asDict(new ListBuilder(store, store, ['g'], options));
  expect(dict).toMatchObject({
    grouping_keys: ['g'],
    target_key: 'firstMember',
    delete_orphans: true,
  });
  expect(await fromDict(dict)).toMatchObject({ groupingKeys: ['g'], ...options });
});

test.each([
  [[], {}, /`groupingKeys` to be a list of at least one field name/],
  [['a', ''], {}, /`groupingKeys` to be a list/],
  ['g' as never, {}, /`groupingKeys` to be a list/],
  [['a', 'a'], {}, /none lies inside another/],
  [['a.b', 'a'], {}, /none lies inside another/],
  [['g'], { targetKey: 'first' as never }, /`targetKey` to be one of/],
  [['g'], { deleteOrphans: 1 as never }, /`deleteOrphans` to be true or false/],
])('refuses %o with %o', async (keys, options, message) => {
  const store = await target();
  expect(() => new ListBuilder(store, store, keys, options)).toThrow(InvalidOptionError);
  expect(() => new ListBuilder(store, store, keys, options)).toThrow(message);
});

test('refuses a target whose key is where the members go', async () => {
  const [from, to] = [await source(), await storeWith([], { key: 'ks' })];
  expect(() => new ListBuilder(from, to, KEYS)).toThrow(/where the keys of the members go/);
});
