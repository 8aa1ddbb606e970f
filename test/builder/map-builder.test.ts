import { describe, expect, test, vi } from 'vitest';
import { CopyBuilder } from '../../src/builder/copy-builder.js';
import { KeyPlan } from '../../src/builder/key-plan.js';
import type { MapBuilderOptions } from '../../src/builder/map-builder.js';
import { MapBuilder } from '../../src/builder/map-builder.js';
import { OrphanGuardError } from '../../src/errors/builder-errors.js';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import type { Doc } from '../../src/query/document.js';
import type { Store } from '../../src/store/store.js';
import { at, contents, storeWith } from '../fixtures/stores.js';
import { StreamedStore } from '../store/streamed-store.js';

type Unary = (item: Doc) => Doc | null | undefined | Promise<Doc | null | undefined>;

/** A MapBuilder over a function, which remembers what it was called with. */
class FunctionBuilder extends MapBuilder {
  readonly calls: Doc[] = [];
  readonly #function: Unary;

  constructor(source: Store, target: Store, unary: Unary, options: MapBuilderOptions = {}) {
    super(source, target, options);
    this.#function = unary;
  }

  unaryFunction(item: Doc) {
    this.calls.push(item);
    return this.#function(item);
  }
}

const source = () =>
  storeWith([
    { k: 1, a: 1, last_updated: at(1) },
    { k: 2, a: 2, last_updated: at(2) },
    { k: 3, a: 3, last_updated: at(3) },
  ]);

const square: Unary = (item) => ({ square: item['a'] ** 2 });

describe('what is written', () => {
  test('a target document has the key, the time stamp, the result and our fields', async () => {
    const target = await storeWith([]);
    await new FunctionBuilder(await source(), target, square).run();
    const doc = await target.queryOne({ k: 2 });
    expect(doc).toEqual({
      _id: expect.anything(),
      k: 2,
      last_updated: at(2),
      square: 4,
      state: 'successful',
      _process_time: expect.any(Number),
      _bt: expect.any(Date),
    });
  });

  test('the copy builder copies every field but _id', async () => {
    const target = await storeWith([]);
    await new CopyBuilder(await source(), target, { storeProcessTime: false }).run();
    expect(await contents(target)).toEqual([
      { k: 1, a: 1, last_updated: at(1), state: 'successful' },
      { k: 2, a: 2, last_updated: at(2), state: 'successful' },
      { k: 3, a: 3, last_updated: at(3), state: 'successful' },
    ]);
    expect(await target.queryOne({ _process_time: { $exists: true } })).toBe(null);
  });

  test('names of key and time stamp may differ on both sides, and the user cannot override ours', async () => {
    const from = await storeWith([{ id: 1, changed: at(1), key2: 'x' }], {
      key: 'id',
      lastUpdatedField: 'changed',
    });
    const target = await storeWith([], { key: 'key2', lastUpdatedField: 'lu' });
    const rude: Unary = () => ({ key2: 'OLD', lu: 0, _bt: 0, id: 7, changed: 8, v: 1 });
    await new FunctionBuilder(from, target, rude).run();
    expect(await contents(target)).toEqual([{ key2: 1, lu: at(1), v: 1, state: 'successful' }]);
    const again = new FunctionBuilder(from, target, rude);
    expect((await again.run()).total).toBe(0);
  });

  test('dotted keys and time stamps are set without changing what the user returned', async () => {
    const from = await storeWith([{ id: { n: 1 }, meta: { t: at(1) } }], {
      key: 'id.n',
      lastUpdatedField: 'meta.t',
    });
    const target = await storeWith([], { key: 'id.n', lastUpdatedField: 'meta.t' });
    const result = Object.freeze({ id: Object.freeze({ other: 2 }), v: 3 });
    await new FunctionBuilder(from, target, () => result).run();
    expect(await contents(target)).toEqual([
      { id: { other: 2, n: 1 }, v: 3, meta: { t: at(1) }, state: 'successful' },
    ]);
    expect((await new FunctionBuilder(from, target, () => result).run()).total).toBe(0);
  });

  test('a field "state" of the user stays, with one warning', async () => {
    const from = await storeWith([
      { k: 1, state: 'California' },
      { k: 2, state: 'failed' },
      { k: 3, state: 'Ohio' },
    ]);
    const target = await storeWith([]);
    const report = await new CopyBuilder(from, target).run();
    expect(report.warnings).toBe(1);
    expect((await contents(target)).map((doc) => doc['state'])).toEqual([
      'California',
      'successful',
      'Ohio',
    ]);
  });

  test('an isoformat target gets text', async () => {
    const target = await storeWith([], { lastUpdatedType: 'isoformat' });
    await new FunctionBuilder(await source(), target, square).run();
    expect((await target.queryOne({ k: 1 }))?.['last_updated']).toBe('2020-01-01T00:00:01.000');
    expect((await new FunctionBuilder(await source(), target, square).run()).total).toBe(0);
  });

  test('fields of an earlier build are gone after the next one', async () => {
    const from = await source();
    const target = await storeWith([]);
    await new FunctionBuilder(from, target, () => ({ old: 1 })).run();
    await from.update({ k: 1, a: 1, last_updated: at(9) });
    await new FunctionBuilder(from, target, () => ({ fresh: 1 })).run();
    expect((await contents(target))[0]).toEqual({
      k: 1,
      last_updated: at(9),
      fresh: 1,
      state: 'successful',
    });
  });
});

describe('what is built', () => {
  test('the second run builds nothing, and a change builds what changed', async () => {
    const [from, target] = [await source(), await storeWith([])];
    expect((await new FunctionBuilder(from, target, square).run()).succeeded).toBe(3);
    const second = await new FunctionBuilder(from, target, square).run();
    expect([second.total, second.processed]).toEqual([0, 0]);
    await from.update([
      { k: 2, a: 5, last_updated: at(9) },
      { k: 4, a: 4, last_updated: at(0) },
      { k: 3, a: 99, last_updated: at(3) },
    ]);
    const third = new FunctionBuilder(from, target, square);
    expect((await third.run()).total).toBe(2);
    expect(third.calls.map((item) => item['k'])).toEqual([2, 4]);
  });

  test.each([
    ['dates', at(1)],
    ['text with microseconds', '2020-01-01T00:00:01.123456'],
    ['text with a zone', '2020-01-01T05:30:01+05:30'],
    ['nothing', undefined],
    ['null', null],
    ['nonsense', 'soon'],
  ])('time stamps that are %s converge', async (_, stamp) => {
    const from = await storeWith([{ k: 1, last_updated: stamp }]);
    const target = await storeWith([]);
    expect((await new CopyBuilder(from, target).run()).succeeded).toBe(1);
    expect((await new CopyBuilder(from, target).run()).total).toBe(0);
  });

  test('a target document without a time stamp is built again when the source has one', async () => {
    const target = await storeWith([{ k: 1 }]);
    expect((await new CopyBuilder(await source(), target).run()).total).toBe(3);
  });

  test('a target that is newer is left alone, with a warning', async () => {
    const target = await storeWith([{ k: 1, v: 'newer', last_updated: at(50) }]);
    const report = await new CopyBuilder(await source(), target).run();
    expect([report.total, report.warnings]).toEqual([2, 1]);
    expect((await contents(target))[0]).toMatchObject({ v: 'newer' });
  });

  test('the newest of several documents with one key counts, with one warning', async () => {
    const from = await storeWith([]);
    await from.update(
      [
        { _id: 1, k: 1, v: 'new', last_updated: at(9) },
        { _id: 2, k: 1, v: 'old', last_updated: at(1) },
        { _id: 3, k: 2, v: 'old', last_updated: at(2) },
        { _id: 4, k: 2, v: 'new', last_updated: at(3) },
        { _id: 5, k: 2, v: 'old', last_updated: at(1) },
        { _id: 6, k: 3, v: 'new', last_updated: at(1) },
      ],
      { key: '_id' },
    );
    const target = await storeWith([{ k: 0, last_updated: at(0) }]);
    const builder = new CopyBuilder(from, target);
    const warn = vi.spyOn(builder.logger, 'warn');
    const report = await builder.run();
    expect([report.total, report.warnings]).toEqual([3, 1]);
    expect(warn.mock.calls).toEqual([
      [
        '2 keys occur more than once in mem://memory_db (such as 1): only the newest document of each is built',
      ],
    ]);
    expect((await contents(target)).slice(1)).toMatchObject([
      { k: 1, v: 'new', last_updated: at(9) },
      { k: 2, v: 'new', last_updated: at(3) },
      { k: 3, v: 'new', last_updated: at(1) },
    ]);
    expect((await new CopyBuilder(from, target).run()).total).toBe(0);
    // With `query`, what it leaves out cannot be built in place of something else.
    const some = await new CopyBuilder(from, target, { query: { v: 'new' } }).run();
    expect(some.warnings).toBe(0);
  });

  test('the list of keys is thrown away, also when the stores cannot be compared', async () => {
    const dispose = vi.spyOn(KeyPlan.prototype, Symbol.asyncDispose);
    const target = await storeWith([{ k: 1 }]);
    const broken = new StreamedStore(() => [{ k: 2 }, { k: 1 }], { key: 'k' });
    await broken.connect();
    for (const from of [await source(), broken]) {
      dispose.mockClear();
      const builder = new CopyBuilder(from, target);
      const read = builder.getItems().toArray();
      await (from === broken ? expect(read).rejects.toThrow(/MongoDB's order/) : read);
      expect(dispose).toHaveBeenCalledTimes(1);
    }
    dispose.mockRestore();
  });

  test('documents without a key are left out, with a warning', async () => {
    const from = await storeWith([]);
    await from.update([{ _id: 1, k: 1 }, { _id: 2 }, { _id: 3, k: null }], { key: '_id' });
    const target = await storeWith([]);
    const report = await new CopyBuilder(from, target).run();
    expect([report.succeeded, report.warnings]).toEqual([1, 1]);
    expect((await new CopyBuilder(from, target).run()).total).toBe(0);
  });

  test('query restricts what is built and leaves the rest of the target alone', async () => {
    const target = await storeWith([{ k: 1, v: 'mine' }]);
    await new CopyBuilder(await source(), target, { query: { a: { $gt: 2 } } }).run();
    expect((await contents(target)).map((doc) => [doc['k'], doc['v']])).toEqual([
      [1, 'mine'],
      [3, undefined],
    ]);
  });

  test('projection gives unaryFunction those fields, the key and the time stamp', async () => {
    const from = await storeWith([{ k: 1, a: 1, b: { c: 2, d: 3 }, last_updated: at(1) }]);
    for (const seed of [[], [{ k: 0 }]]) {
      const builder = new FunctionBuilder(from, await storeWith(seed), square, {
        projection: ['b.c'],
      });
      await builder.run();
      const { _id, ...seen } = builder.calls[0] ?? {};
      expect(seen).toEqual({ k: 1, b: { c: 2 }, last_updated: at(1) });
    }
  });

  test('any kind of key works, each in its own type', async () => {
    const keys = ['1', 1, 1.5, new Date(5), { n: 1 }, { n: '1' }, true, 'é'];
    const from = await storeWith(keys.map((k) => ({ k, last_updated: at(1) })));
    const target = await storeWith([{ k: 'seed', last_updated: at(1) }]);
    expect((await new CopyBuilder(from, target).run()).succeeded).toBe(keys.length);
    expect((await new CopyBuilder(from, target).run()).total).toBe(0);
    expect(await target.count()).toBe(keys.length + 1);
  });

  test('_id may be the key', async () => {
    const from = await storeWith([{ _id: 'x', v: 1 }], { key: '_id' });
    const target = await storeWith([], { key: '_id' });
    await new CopyBuilder(from, target).run();
    expect((await target.queryOne())?.['_id']).toBe('x');
    expect((await new CopyBuilder(from, target).run()).total).toBe(0);
  });
});

describe('failures and skips', () => {
  const failing: Unary = (item) => {
    if (item['a'] === 2) throw new RangeError('two is bad');
    return square(item);
  };

  test('a failed item is recorded and not tried again before its source changes', async () => {
    const [from, target] = [await source(), await storeWith([])];
    const report = await new FunctionBuilder(from, target, failing).run();
    expect(report).toMatchObject({ succeeded: 2, failed: 1, errors: 1, status: 'succeeded' });
    expect(report.failures).toMatchObject([
      { key: 2, cause: 'error', attempts: 1, error: { name: 'RangeError', message: 'two is bad' } },
    ]);
    expect(await target.queryOne({ k: 2 })).toEqual({
      _id: expect.anything(),
      k: 2,
      last_updated: at(2),
      error: 'two is bad',
      state: 'failed',
      _process_time: expect.any(Number),
      _bt: expect.any(Date),
    });
    expect((await new FunctionBuilder(from, target, square).run()).total).toBe(0);
    await from.update({ k: 2, a: 4, last_updated: at(9) });
    expect((await new FunctionBuilder(from, target, square).run()).succeeded).toBe(1);
    expect((await contents(target))[1]).toEqual({
      k: 2,
      last_updated: at(9),
      square: 16,
      state: 'successful',
    });
  });

  test('retryFailed builds it again, also when the query is about fields of the source', async () => {
    const [from, target] = [await source(), await storeWith([])];
    await new FunctionBuilder(from, target, failing).run();
    const other = { retryFailed: true, query: { a: { $gt: 2 } } };
    expect((await new FunctionBuilder(from, target, square, other).run()).total).toBe(0);
    const retry = { retryFailed: true, query: { a: { $gt: 1 } } };
    expect((await new FunctionBuilder(from, target, square, retry).run()).succeeded).toBe(1);
    expect((await contents(target))[1]).toMatchObject({ square: 4, state: 'successful' });
  });

  test('a document of the user that looks a little like a failure is not retried', async () => {
    const target = await storeWith([{ k: 1, state: 'failed', last_updated: at(1) }]);
    const builder = new FunctionBuilder(await source(), target, square, { retryFailed: true });
    await builder.run();
    expect(builder.calls.map((item) => item['k'])).toEqual([2, 3]);
  });

  test.each([null, undefined])('%s skips an item, which is remembered', async (nothing) => {
    const [from, target] = [await source(), await storeWith([])];
    const picky: Unary = (item) => (item['a'] === 2 ? nothing : square(item));
    const report = await new FunctionBuilder(from, target, picky).run();
    expect(report).toMatchObject({ processed: 3, succeeded: 2, skipped: 1, failed: 0 });
    expect((await contents(target))[1]).toEqual({ k: 2, last_updated: at(2), state: 'skipped' });
    expect((await new FunctionBuilder(from, target, picky).run()).total).toBe(0);
  });

  test('a result that is no document fails its item', async () => {
    const target = await storeWith([]);
    const odd: Unary = (item) =>
      item['a'] === 1 ? ([1] as never) : item['a'] === 2 ? (7 as never) : {};
    const report = await new FunctionBuilder(await source(), target, odd).run();
    expect(report).toMatchObject({ succeeded: 1, failed: 2 });
    expect(report.failures[0]?.error.message).toMatch(/must return a document.*an array/);
  });

  test('a result that cannot be stored fails its item, and names the place', async () => {
    const target = await storeWith([]);
    const odd: Unary = () => ({ a: { f: () => 1 } });
    const report = await new FunctionBuilder(await source(), target, odd).run();
    expect(report.failures[0]).toMatchObject({ cause: 'unserializable' });
    expect(report.failures[0]?.error.message).toContain('$.a.f');
  });

  test('refused results are invalid, failure records are stored all the same', async () => {
    const validator = {
      strict: false,
      isValid: (doc: Doc) => doc['square'] !== undefined && doc['square'] < 5,
      validationErrors: () => ['square: too big'],
    };
    const target = await storeWith([], { validator });
    const mixed: Unary = (item) => {
      if (item['a'] === 1) throw new Error('no');
      return square(item);
    };
    const report = await new FunctionBuilder(await source(), target, mixed).run();
    expect(report).toMatchObject({
      processed: 3,
      succeeded: 1,
      failed: 1,
      invalid: 1,
      warnings: 1,
    });
    expect((await contents(target)).map((doc) => doc['state'])).toEqual([
      'failed',
      'successful',
      'failed',
    ]);
  });

  test('an item that awaits too long is recorded as a timeout, with fractions of seconds', async () => {
    const target = await storeWith([]);
    const slow: Unary = (item) => (item['a'] === 2 ? new Promise(() => {}) : square(item));
    const builder = new FunctionBuilder(await source(), target, slow, { timeout: 0.05 });
    const report = await builder.run();
    expect(report).toMatchObject({ succeeded: 2, failed: 1 });
    expect(report.failures[0]).toMatchObject({ key: 2, cause: 'timeout' });
    expect((await contents(target))[1]).toMatchObject({ error: 'timeout after 0.05 s' });
  });

  test('an item that blocks too long is recorded when it returns, its result dropped', async () => {
    const target = await storeWith([]);
    const blocking: Unary = (item) => {
      const until = performance.now() + (item['a'] === 2 ? 30 : 0);
      while (performance.now() < until);
      return square(item);
    };
    const builder = new FunctionBuilder(await source(), target, blocking, { timeout: 0.02 });
    expect(await builder.run()).toMatchObject({ succeeded: 2, failed: 1 });
  });
});

describe('orphans', () => {
  test('are removed after a build that succeeded, whatever the query', async () => {
    const kept = [2, 3].map((k) => ({ k, v: 1 }));
    const target = await storeWith([{ k: 'gone' }, ...kept]);
    const options = { deleteOrphans: true, query: { a: 1 }, maxOrphanShare: 0.5 };
    await new CopyBuilder(await source(), target, options).run();
    expect((await contents(target)).map((doc) => doc['k'])).toEqual([1, 2, 3]);
  });

  test('stay without the option', async () => {
    const target = await storeWith([{ k: 'gone' }]);
    await new CopyBuilder(await source(), target).run();
    expect(await target.count({ k: 'gone' })).toBe(1);
  });

  test('are not removed when the source is empty: the build fails instead', async () => {
    const target = await storeWith([{ k: 1 }, { k: 2 }]);
    const run = new CopyBuilder(await storeWith([]), target, { deleteOrphans: true }).run();
    await expect(run).rejects.toThrow(/source .* is empty/);
    await expect(run).rejects.toMatchObject({ cause: expect.any(OrphanGuardError) });
    expect(await target.count()).toBe(2);
  });
});

test('prechunk cuts what is to be built, failed items included, into queries', async () => {
  const [from, target] = [await source(), await storeWith([{ k: 1, last_updated: at(1) }])];
  const builder = new CopyBuilder(from, target);
  const chunks: unknown[] = [];
  for await (const chunk of builder.prechunk(2)) chunks.push(chunk);
  expect(chunks).toEqual([{ query: { k: { $in: [2] } } }, { query: { k: { $in: [3] } } }]);
});

test('works on a collection that is source and target at once', async () => {
  const both = await source();
  await new CopyBuilder(both, both).run();
  expect(await both.count()).toBe(3);
});

test.each([
  [{ timeout: -1 }, /`timeout` to be a number of at least 0/],
  [{ chunkSize: 0 }, /`chunkSize` to be a positive whole number/],
  [{ projection: { a: 1 } as never }, /`projection` to be a list/],
  [{ deleteOrphans: 'yes' as never }, /`deleteOrphans` to be true or false/],
])('refuses the options %o', async (options, message) => {
  const store = await storeWith([]);
  expect(() => new CopyBuilder(store, store, options)).toThrow(InvalidOptionError);
  expect(() => new CopyBuilder(store, store, options)).toThrow(message);
});
