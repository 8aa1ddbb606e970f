import { describe, expect, test, vi } from 'vitest';
import { KeyDigest } from '../../src/builder/group-digest.js';
import { OrphanGuardError } from '../../src/errors/builder-errors.js';
import type { Doc } from '../../src/query/document.js';
import { at, contents, storeWith } from '../fixtures/stores.js';
import { built, KEYS, ListBuilder, planOf, source, target } from './group-list-builder.js';

describe('grouping values', () => {
  test('null, missing, arrays and objects are groups of their own, and nothing is an error', async () => {
    // D-05.
    const values = [
      null,
      undefined,
      [],
      [1, 2],
      [2, 1],
      { x: 1 },
      { x: 1, y: 2 },
      1,
      '1',
      '[null]',
    ];
    const from = await storeWith(
      values.flatMap((g, i) => [
        { k: 2 * i, g, last_updated: at(1) },
        { k: 2 * i + 1, g, last_updated: at(1) },
      ]),
    );
    const to = await target();
    expect(await built(from, to)).toEqual(values.map((_, i) => [2 * i, 2 * i + 1]));
    const docs = await to.query({}, { sort: { 'ks.0': 1 } }).toArray();
    expect(docs.map((doc) => doc['g'])).toEqual([
      '[null]',
      '[{"$missing":true}]',
      '[[]]',
      '[[1,2]]',
      '[[2,1]]',
      '[{"x":1}]',
      '[{"x":1,"y":2}]',
      1,
      '1',
      '["[null]"]',
    ]);
    expect(await built(from, to)).toEqual([]);
  });

  test('several keys make one text, and nested arrays of documents are seen through', async () => {
    const from = await storeWith([
      { k: 1, a: 'Fe', b: { c: 2 } },
      { k: 2, a: 'Fe', b: [{ c: 2 }, { c: 3 }] },
      { k: 3, a: 'Fe', b: { c: [2, 3] } },
      { k: 4, b: { c: 2 } },
    ]);
    const to = await target();
    expect(await built(from, to, {}, ['a', 'b.c'])).toEqual([[1], [2, 3], [4]]);
    expect((await contents(to)).map((doc) => doc['g'])).toEqual([
      '["Fe",2]',
      '["Fe",[2,3]]',
      '[{"$missing":true},2]',
    ]);
  });

  test('with firstMember the key is that of the smallest member, and follows it', async () => {
    const [from, to] = [await source(), await storeWith([])];
    const options = { targetKey: 'firstMember', deleteOrphans: true, maxOrphanShare: 1 } as const;
    await built(from, to, options);
    expect((await contents(to)).map((doc) => [doc['k'], doc['ks']])).toEqual([
      [1, [1, 2]],
      [3, [3]],
    ]);
    await from.update({ k: 1, g: 'b', last_updated: at(1) });
    expect(await built(from, to, options)).toEqual([[1, 3], [2]]);
    expect((await contents(to)).map((doc) => [doc['k'], doc['ks']])).toEqual([
      [1, [1, 3]],
      [2, [2]],
    ]);
    // The group of the document left is of none that matches, and not gone.
    expect(await built(from, to, { ...options, query: { k: { $gt: 2 } } })).toEqual([[3]]);
    expect((await contents(to)).map((doc) => doc['k'])).toEqual([1, 2, 3]);
  });
});

test('arrays may be keys of members; the smallest is the first in order of values', async () => {
  const from = await storeWith([
    { k: [3, 1], g: 'a' },
    { k: 2, g: 'a' },
  ]);
  const to = await storeWith([]);
  const options = { targetKey: 'firstMember' } as const;
  expect(await built(from, to, options)).toEqual([[2, [3, 1]]]);
  expect((await contents(to)).map((doc) => doc['k'])).toEqual([2]);
  expect(await built(from, to, options)).toEqual([]);
});

describe('orphans', () => {
  const gone = async () => {
    const [from, to] = [await source(), await target()];
    await built(from, to);
    await from.removeDocs({ k: 3 });
    return [from, to] as const;
  };

  test('are reported by one warning', async () => {
    const [from, to] = await gone();
    await to.update({ g: 'z' });
    for (const query of [null, { g: 'a' }]) {
      const builder = new ListBuilder(from, to, KEYS, { query });
      const warn = vi.spyOn(builder.logger, 'warn');
      await builder.run();
      expect(warn.mock.calls).toEqual([
        [expect.stringMatching(/^2 documents of .* \(such as 'b'\) have no group in /)],
      ]);
    }
    expect(await to.count()).toBe(3);
  });

  test('are removed with deleteOrphans, but not when they are too many', async () => {
    const [from, to] = await gone();
    const guarded = new ListBuilder(from, to, KEYS, { deleteOrphans: true }).run();
    await expect(guarded).rejects.toMatchObject({ cause: expect.any(OrphanGuardError) });
    const report = await new ListBuilder(from, to, KEYS, {
      deleteOrphans: true,
      maxOrphanShare: 0.5,
    }).run();
    expect(report.warnings).toBe(0);
    expect((await contents(to)).map((doc) => doc['g'])).toEqual(['a']);
  });

  test('are not the groups that the query leaves out', async () => {
    const [from, to] = await gone();
    const options = { query: { g: 'b' }, deleteOrphans: true, maxOrphanShare: 1 };
    await new ListBuilder(from, to, KEYS, options).run();
    expect((await contents(to)).map((doc) => doc['g'])).toEqual(['a']);
    expect((await new ListBuilder(from, to, KEYS, { query: { g: 'b' } }).run()).warnings).toBe(0);
  });

  test('an empty source removes nothing, and is worth a warning', async () => {
    const [, to] = await gone();
    const empty = await storeWith([]);
    const builder = new ListBuilder(empty, to, KEYS);
    const warn = vi.spyOn(builder.logger, 'warn');
    await builder.run();
    expect(String(warn.mock.calls[0])).toMatch(/is empty/);
    const run = new ListBuilder(empty, to, KEYS, { deleteOrphans: true }).run();
    await expect(run).rejects.toThrow(/source .* is empty/);
    expect(await to.count()).toBe(2);
  });
});

test('lists of members are told apart by a digest, whatever their order', () => {
  const digestOf = (keys: readonly unknown[]) => {
    const digest = new KeyDigest();
    for (const key of keys) digest.add(key);
    return digest;
  };
  const lists: readonly unknown[][] = [
    [1, 4],
    [2, 3],
    ['1', '4'],
    ['14', ''],
    [true, 4],
    ['true', 4],
    [{ n: 1 }, 4],
    [0.5, 1 / 3],
    ...Array.from({ length: 500 }, (_, n) => [n, 1000 - n]),
    ...Array.from({ length: 500 }, (_, n) => [`m${n}`, `m${1000 - n}`]),
  ];
  const digests = lists.map(digestOf);
  for (const [i, digest] of digests.entries()) {
    expect(digest.equals(digestOf(lists[i]?.toReversed() ?? []))).toBe(true);
    const same = digests.filter((other, j) => j < i && digest.equals(other));
    expect(same, String(lists[i])).toEqual([]);
  }
});

test('the plan says what a run would do and why, and writes nothing', async () => {
  const from = await storeWith([
    { k: 1, g: 'same', last_updated: at(1) },
    { k: 2, g: 'newer', last_updated: at(2) },
    { k: 3, g: 'new', last_updated: at(3) },
    { k: 4, g: 'older', last_updated: at(4) },
    { k: 5, g: 'members', last_updated: at(5) },
    { k: 6, g: 'failed', last_updated: at(6) },
    { k: 7, g: 'skipped', last_updated: at(7) },
  ]);
  const _bt = at(0);
  const to = await storeWith(
    [
      { g: 'same', ks: [1], last_updated: at(1) },
      { g: 'newer', ks: [2], last_updated: at(1) },
      { g: 'older', ks: [4], last_updated: at(9) },
      { g: 'members', ks: [5, 8], last_updated: at(5) },
      { g: 'failed', ks: [6], last_updated: at(6), state: 'failed', error: 'no', _bt },
      { g: 'skipped', ks: [7], last_updated: at(7), state: 'skipped', _bt },
      { g: 'gone', ks: [9], last_updated: at(1) },
    ],
    { key: 'g' },
  );
  const before = await to.query().toArray();
  expect(await planOf(new ListBuilder(from, to, KEYS))).toEqual([
    ['newer', 'build', 'newer'],
    ['new', 'build', 'new'],
    ['older', 'leave', 'older'],
    ['members', 'build', 'members'],
    ['failed', 'leave', 'failed'],
    ['skipped', 'leave', 'skipped'],
    ['gone', 'leave', 'orphan'],
  ]);
  expect(await to.query().toArray()).toEqual(before);
});

test('prechunk cuts whole groups into queries that never overlap', async () => {
  // D-02.
  const docs = Array.from({ length: 30 }, (_, k) => ({ k, g: [k % 7, [k % 7], null][k % 3] }));
  const [from, whole, parts] = [await storeWith(docs), await target(), await target()];
  const query = { k: { $ne: 4 } };
  await new ListBuilder(from, whole, KEYS, { query }).run();
  const seen: unknown[] = [];
  const chunks: Record<string, unknown>[] = [];
  for await (const chunk of new ListBuilder(from, parts, KEYS, { query }).prechunk(4))
    chunks.push(chunk);
  // One group is a third of all.
  expect(chunks).toHaveLength(3);
  for (const chunk of chunks) {
    expect(Object.keys(chunk)).toEqual(['query']);
    seen.push(...(await from.query(chunk['query'] as Doc).toArray()).map((doc) => doc['k']));
    await new ListBuilder(from, parts, KEYS, chunk).run();
  }
  expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(
    docs.map(({ k }) => k).filter((k) => k !== 4),
  );
  const stampless = 'last_updated';
  expect(await contents(parts, stampless)).toEqual(await contents(whole, stampless));
  for await (const chunk of new ListBuilder(from, whole, KEYS, { query }).prechunk(4))
    expect(chunk).toBe('none, for nothing is due');
});
