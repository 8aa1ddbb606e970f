import { describe, expect, test } from 'vitest';
import type { PlanEntry } from '../../src/builder/build-plan.js';
import { CopyBuilder } from '../../src/builder/copy-builder.js';
import type { MapBuilderOptions } from '../../src/builder/map-builder.js';
import { MapBuilder } from '../../src/builder/map-builder.js';
import { OrphanGuardError } from '../../src/errors/builder-errors.js';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { MSONable, option } from '../../src/msonable/decorators.js';
import type { Doc } from '../../src/query/document.js';
import type { Store } from '../../src/store/store.js';
import type { Validator } from '../../src/store/validator.js';
import { at, contents, storeWith } from '../fixtures/stores.js';

/** Multiplies `a`; fails at 13, skips 0. */
@MSONable(import.meta.url)
class TimesBuilder extends MapBuilder {
  @option() readonly factor: number;
  calls: unknown[] = [];
  release = 1;

  constructor(
    source: Store,
    target: Store,
    options: MapBuilderOptions & { readonly factor?: number } = {},
  ) {
    super(source, target, options);
    this.factor = options.factor ?? 2;
  }

  override get version() {
    return this.release;
  }

  unaryFunction({ k, a }: Doc) {
    this.calls.push(k);
    if (a === 13) throw new RangeError('thirteen');
    return a === 0 ? null : { a: a * this.factor };
  }
}

const docs = (n: number): Doc[] =>
  Array.from({ length: n }, (_, k) => ({ k, a: k + 1, last_updated: at(k) }));

async function planOf(builder: MapBuilder): Promise<PlanEntry[]> {
  const entries: PlanEntry[] = [];
  for await (const entry of builder.plan()) entries.push(entry);
  return entries;
}

describe('the orphan guard', () => {
  const gone = async (n: number, options: MapBuilderOptions = {}) => {
    const target = await storeWith(docs(20));
    const from = await storeWith(docs(20 - n));
    const run = new CopyBuilder(from, target, { deleteOrphans: true, ...options }).run();
    const error = await run.then(
      () => undefined,
      (e: Error) => e,
    );
    return { error, left: await target.count() };
  };

  test('lets a few of many go', async () => {
    expect(await gone(4)).toEqual({ error: undefined, left: 16 });
  });

  test('refuses more than a fifth before anything is removed, and says what would have gone', async () => {
    const { error, left } = await gone(5);
    expect(left).toBe(20);
    expect(error?.cause).toBeInstanceOf(OrphanGuardError);
    expect(error?.message).toMatch(
      /5 of 20 documents would go \(such as 15, 16, 17\), and at most 20 % may go/,
    );
    expect(error).toMatchObject({ cause: { refused: { orphans: 5, total: 20 } } });
  });

  test('refuses an empty source, however few there are', async () => {
    const { error, left } = await gone(20, { maxOrphanShare: 0.99 });
    expect(left).toBe(20);
    expect(error?.message).toMatch(/the source .* is empty/);
  });

  test('can be told to let everything go', async () => {
    expect(await gone(20, { maxOrphanShare: 1 })).toEqual({ error: undefined, left: 0 });
  });
});

describe('a plan', () => {
  test('says what would be built, removed or left, and why; nothing is written', async () => {
    const from = await storeWith([
      { k: 'failed', a: 13, last_updated: at(1) },
      { k: 'new', a: 1, last_updated: at(1) },
      { k: 'newer', a: 1, last_updated: at(5) },
      { k: 'older', a: 1, last_updated: at(1) },
      { k: 'same', a: 1, last_updated: at(1) },
      { k: 'skipped', a: 0, last_updated: at(1) },
    ]);
    const target = await storeWith([]);
    const query = { k: { $in: ['failed', 'skipped', 'same', 'newer', 'older'] } };
    await new TimesBuilder(from, target, { query }).run();
    await target.update([
      { k: 'newer', last_updated: at(1) },
      { k: 'older', last_updated: at(9) },
      { k: 'orphan', last_updated: at(1) },
    ]);
    const before = await target.query().toArray();
    const builder = new TimesBuilder(from, target, { deleteOrphans: true });
    expect(await planOf(builder)).toEqual([
      { key: 'failed', action: 'leave', reason: 'failed' },
      { key: 'new', action: 'build', reason: 'new' },
      { key: 'newer', action: 'build', reason: 'newer' },
      { key: 'older', action: 'leave', reason: 'older' },
      { key: 'skipped', action: 'leave', reason: 'skipped' },
      { key: 'orphan', action: 'delete', reason: 'orphan' },
    ]);
    expect(await target.query().toArray()).toEqual(before);
    expect(builder.calls).toEqual([]);
    const retrying = await planOf(new TimesBuilder(from, target, { retryFailed: true }));
    expect(retrying).toContainEqual({ key: 'failed', action: 'build', reason: 'failed' });
    expect(retrying).toContainEqual({ key: 'orphan', action: 'leave', reason: 'orphan' });
  });

  test('opens what is closed, and closes it again', async () => {
    const [from, target] = [await storeWith(docs(2)), await storeWith([])];
    expect(await planOf(new CopyBuilder(from, target))).toHaveLength(2);
    expect(from.connected && target.connected).toBe(true);
    const { JSONStore } = await import('../../src/store/memory/json-store.js');
    const absent = new JSONStore('no-such-file.json', { key: 'k', readOnly: false });
    expect(await planOf(new CopyBuilder(from, absent))).toHaveLength(2);
    expect(absent.connected).toBe(false);
  });

  test('is what the run then does', async () => {
    const [from, target] = [await storeWith(docs(10)), await storeWith(docs(4))];
    const builder = new TimesBuilder(from, target);
    const planned = (await planOf(builder)).filter(({ action }) => action === 'build');
    await builder.run();
    expect(builder.calls).toEqual(planned.map(({ key }) => key));
  });
});

test('a full refresh builds everything, and only then', async () => {
  const [from, target] = [await storeWith(docs(5)), await storeWith([])];
  await new TimesBuilder(from, target).run();
  const builder = new TimesBuilder(from, target, { factor: 3 });
  builder.fullRefresh = true;
  expect(await builder.run()).toMatchObject({ total: 5, succeeded: 5 });
  expect((await target.queryOne({ k: 4 }))?.['a']).toBe(15);
  builder.fullRefresh = false;
  expect(await builder.run()).toMatchObject({ total: 0 });
});

describe('comparing contents', () => {
  const options = { compare: 'content', metaField: '_maggma' } as const;
  const built = async (source: Store, target: Store, others = {}, release = 1) => {
    const builder = new TimesBuilder(source, target, { ...options, ...others });
    builder.release = release;
    await builder.run();
    return builder.calls;
  };

  test('builds what changed, whatever its time stamp says', async () => {
    const [from, target] = [await storeWith(docs(3)), await storeWith([])];
    expect(await built(from, target)).toEqual([0, 1, 2]);
    expect(await built(from, target)).toEqual([]);
    await from.update({ k: 1, a: 50, last_updated: at(1) });
    expect(await built(from, target)).toEqual([1]);
    expect(await built(from, target)).toEqual([]);
  });

  test('leaves what only got a new time stamp', async () => {
    const [from, target] = [await storeWith(docs(3)), await storeWith([])];
    await built(from, target);
    await from.update({ k: 1, a: 2, last_updated: at(100) });
    expect(await built(from, target)).toEqual([]);
  });

  test('looks at the fields of the projection only', async () => {
    const [from, target] = [await storeWith(docs(3)), await storeWith([])];
    await built(from, target, { projection: ['a'] });
    await from.update({ k: 1, a: 2, b: 'new', last_updated: at(1) });
    expect(await built(from, target, { projection: ['a'] })).toEqual([]);
  });

  test('builds everything when an option or the version of the builder changed', async () => {
    const [from, target] = [await storeWith(docs(3)), await storeWith([])];
    await built(from, target);
    expect(await built(from, target, { factor: 3 })).toEqual([0, 1, 2]);
    expect(await built(from, target, { factor: 3, retryFailed: true, chunkSize: 7 })).toEqual([]);
    expect(await built(from, target, { factor: 3 }, 2)).toEqual([0, 1, 2]);
  });

  test('remembers what failed and what was skipped', async () => {
    const from = await storeWith([
      { k: 1, a: 13 },
      { k: 2, a: 0 },
    ]);
    const target = await storeWith([]);
    expect(await built(from, target)).toEqual([1, 2]);
    expect(await built(from, target)).toEqual([]);
    await from.update({ k: 1, a: 14 });
    expect(await built(from, target)).toEqual([1]);
  });

  test('works with hashes beside the fields of the document, too', async () => {
    const [from, target] = [await storeWith(docs(2)), await storeWith([])];
    await new CopyBuilder(from, target, { compare: 'content' }).run();
    expect(await new CopyBuilder(from, target, { compare: 'content' }).run()).toMatchObject({
      total: 0,
    });
  });
});

describe('a meta field', () => {
  test('takes everything of ours, and leaves the names to the user', async () => {
    const from = await storeWith([
      { k: 1, state: 'California', error: 'none', _bt: 'mine', last_updated: at(1) },
    ]);
    const target = await storeWith([]);
    await new CopyBuilder(from, target, { metaField: 'build' }).run();
    expect(await target.queryOne({ k: 1 })).toEqual({
      _id: expect.anything(),
      k: 1,
      last_updated: at(1),
      state: 'California',
      error: 'none',
      _bt: 'mine',
      build: { state: 'successful', _process_time: expect.any(Number), _bt: expect.any(Date) },
    });
  });

  test('holds records of failures, which are found there again', async () => {
    const from = await storeWith([{ k: 1, a: 13, last_updated: at(1) }]);
    const target = await storeWith([]);
    const options = { metaField: 'build' };
    await new TimesBuilder(from, target, options).run();
    expect(await target.queryOne({ k: 1 })).toMatchObject({
      build: { state: 'failed', error: 'thirteen' },
    });
    expect(await new TimesBuilder(from, target, options).run()).toMatchObject({ total: 0 });
    const retrying = new TimesBuilder(from, target, { ...options, retryFailed: true });
    expect(await retrying.run()).toMatchObject({ total: 1, failed: 1 });
  });
});

test('details of a failure are kept when asked for, with its history', async () => {
  const from = await storeWith([{ k: 1, a: 13, last_updated: at(1) }]);
  const target = await storeWith([]);
  const options = { failureDetails: 'stack', retryFailed: true } as const;
  const detailsAfterRun = async () => {
    await new TimesBuilder(from, target, options).run();
    return (await target.queryOne({ k: 1 }))?.['_failure'];
  };
  const first = await detailsAfterRun();
  expect(first).toEqual({
    name: 'RangeError',
    attempts: 1,
    first: expect.any(Date),
    last: first.first,
    stack: expect.stringContaining('unaryFunction'),
  });
  const second = await detailsAfterRun();
  expect(second).toMatchObject({ attempts: 2, first: first.first });
  await from.update({ k: 1, a: 13, last_updated: at(2) });
  expect(await detailsAfterRun()).toMatchObject({ attempts: 1 });
});

describe('results that the target refuses', () => {
  const small = (fingerprint: string, limit: number): Validator => ({
    strict: false,
    fingerprint,
    isValid: (doc) => !(doc['a'] > limit),
    validationErrors: (doc) => (!(doc['a'] > limit) ? [] : [`$.a: ${doc['a']} is too large`]),
  });

  test('go to the quarantine, and are not built again until source or rules change', async () => {
    const from = await storeWith(docs(4));
    const target = await storeWith([], { validator: small('v1', 6) });
    const quarantine = await storeWith([]);
    const builder = () => new TimesBuilder(from, target, { quarantine });
    const first = await builder().run();
    expect(first).toMatchObject({ succeeded: 3, invalid: 1, warnings: 1, failed: 0 });
    expect(await contents(quarantine)).toEqual([
      { k: 3, a: 8, last_updated: at(3), state: 'successful', errors: ['$.a: 8 is too large'] },
    ]);
    expect(await target.queryOne({ k: 3 })).toMatchObject({
      state: 'failed',
      error: 'refused by the validator: $.a: 8 is too large',
    });
    expect(await builder().run()).toMatchObject({ total: 0 });

    await from.update({ k: 3, a: 2, last_updated: at(30) });
    expect(await builder().run()).toMatchObject({ total: 1, succeeded: 1 });
  });

  test('are built again when the rules changed', async () => {
    const from = await storeWith(docs(4));
    const target = await storeWith([], { validator: small('v1', 6) });
    await new TimesBuilder(from, target).run();
    const later = await storeWith(await target.query().toArray(), {
      validator: small('v2', 100),
    });
    const builder = new TimesBuilder(from, later);
    expect((await planOf(builder)).map(({ reason }) => reason)).toEqual(['schema']);
    expect(await builder.run()).toMatchObject({ total: 1, succeeded: 1, invalid: 0 });
    expect(await builder.run()).toMatchObject({ total: 0 });
  });
});

test('duplicate keys fail the build before it begins, where that is asked for', async () => {
  const from = await storeWith(docs(2));
  await from.update({ n: 1, k: 0, last_updated: at(1) }, { key: 'n' });
  const target = await storeWith([]);
  const run = new TimesBuilder(from, target, { duplicates: 'error' }).run();
  await expect(run).rejects.toThrow(/1 keys occur more than once in .* \(such as 0\)/);
  expect(await target.count()).toBe(0);
});

test.each([
  [{ duplicates: 'last' as never }, /`duplicates`/],
  [{ maxOrphanShare: -1 }, /`maxOrphanShare`/],
  [{ compare: 'size' as never }, /`compare`/],
  [{ metaField: '' }, /`metaField`/],
  [{ quarantine: 5 as never }, /`quarantine`/],
])('refuses the options %o', async (options, message) => {
  const store = await storeWith([]);
  expect(() => new TimesBuilder(store, store, options)).toThrow(InvalidOptionError);
  expect(() => new TimesBuilder(store, store, options)).toThrow(message);
});
