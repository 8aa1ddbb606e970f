// The defects of Python's maggma that lose or spoil data, D-01 to D-30 of the list of known ones, and what happens here.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Doc } from 'maggma';
import {
  AliasingStore,
  ConcatStore,
  CopyBuilder,
  fromDict,
  JSONStore,
  MapBuilder,
  ObjectId,
  OrphanGuardError,
  SandboxStore,
  StoreConflictError,
} from 'maggma';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, contents, storeWith } from '../fixtures/stores.js';

/** Why a defect cannot occur here. Those of GroupBuilder and ProjectionBuilder are tested beside these builders. */
const NOT_HERE: Readonly<Record<string, string>> = {
  'D-06': 'there is no GridFSStore yet',
  'D-20': 'there is no AzureBlobStore yet',
  'D-21': 'there is no S3Store yet',
  'D-22': 'there is no S3Store yet',
  'D-23': 'there is no S3Store yet',
  'D-25': 'there is no FileStore yet',
};

test('says why some do not apply', () => {
  for (const reason of Object.values(NOT_HERE)) expect(reason).toMatch(/^there is no \w+ yet$/);
});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-defects-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const jsonStore = (file: string) => new JSONStore(file, { key: 'k', readOnly: false });

test('D-07: a document that cannot be written leaves the file as it was', async () => {
  const file = path.join(folder, 'docs.json');
  await using store = jsonStore(file);
  await store.connect();
  await store.update(Array.from({ length: 100 }, (_, k) => ({ k })));
  const before = readFileSync(file, 'utf8');
  await expect(store.update({ k: 1, f: () => 1 })).rejects.toThrow(/function/);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('D-08: connecting writes nothing, and two writers are noticed', async () => {
  const file = path.join(folder, 'docs.json');
  writeFileSync(file, '[{"k":1}]');
  const { mtimeMs } = statSync(file);
  await using one = jsonStore(file);
  await using two = jsonStore(file);
  await one.connect();
  await two.connect();
  expect(statSync(file).mtimeMs).toBe(mtimeMs);
  await one.update({ k: 2 });
  await expect(two.update({ k: 3 })).rejects.toThrow(StoreConflictError);
  expect(readFileSync(file, 'utf8')).toMatch(/"k": ?2/);
});

test('D-09: an empty source does not empty the target', async () => {
  const target = await storeWith([{ k: 1 }, { k: 2 }]);
  const run = new CopyBuilder(await storeWith([]), target, { deleteOrphans: true }).run();
  await expect(run).rejects.toMatchObject({ cause: expect.any(OrphanGuardError) });
  expect(await target.count()).toBe(2);
});

test('D-10: keys of chunks keep their types', async () => {
  const keys = [new ObjectId(), new Date(5)];
  const source = await storeWith(keys.map((k) => ({ k, last_updated: at(1) })));
  const chunks: Record<string, unknown>[] = [];
  for await (const chunk of new CopyBuilder(source, await storeWith([])).prechunk(1))
    chunks.push(chunk);
  const query = chunks[0]?.['query'] as Doc;
  expect(await source.count(query)).toBe(2);
});

test('D-11: time stamps with microseconds converge', async () => {
  const source = await storeWith([{ k: 1, last_updated: '2020-01-01T00:00:00.123456' }]);
  const target = await storeWith([]);
  await new CopyBuilder(source, target).run();
  expect(await new CopyBuilder(source, target).run()).toMatchObject({ total: 0 });
});

test('D-12: a result cannot change the key under which it is stored', async () => {
  const source = await storeWith([{ id: 1, name: 'OLD', last_updated: at(1) }], { key: 'id' });
  const target = await storeWith([], { key: 'name' });
  await new CopyBuilder(source, target).run();
  expect((await contents(target)).map(({ name }) => name)).toEqual([1]);
  expect(await new CopyBuilder(source, target).run()).toMatchObject({ total: 0 });
});

test('D-13: newerIn that is not exhaustive honours criteria and the names of both stores', async () => {
  const source = await storeWith(
    [
      { id: 1, x: 1, changed: at(5) },
      { id: 2, x: 99, changed: at(6) },
    ],
    { key: 'id', lastUpdatedField: 'changed' },
  );
  const target = await storeWith([{ k: 0, last_updated: at(1) }]);
  const options = { exhaustive: false, criteria: { x: 99 } };
  expect(await target.newerIn(source, options).toArray()).toEqual([2]);
});

test('D-14: time stamps that are missing, null or of another kind are no error', async () => {
  const source = await storeWith([
    { k: 1 },
    { k: 2, last_updated: null },
    { k: 3, last_updated: '2020-01-01T00:00:00Z' },
    { k: 4, last_updated: '2020-01-01T00:00:00' },
  ]);
  const target = await storeWith([]);
  expect(await new CopyBuilder(source, target).run()).toMatchObject({ succeeded: 4 });
  await target.update({ k: 3, last_updated: null });
  expect(await new CopyBuilder(source, target).run()).toMatchObject({ total: 1 });
});

test('D-15: _id and dotted names may be keys', async () => {
  const source = await storeWith([{ _id: 'a', n: { id: 7 }, last_updated: at(1) }], { key: '_id' });
  const target = await storeWith([], { key: '_id' });
  await new CopyBuilder(source, target).run();
  expect(await target.queryOne({ _id: 'a' })).toMatchObject({ n: { id: 7 } });
  const dotted = await storeWith([{ n: { id: 7 }, last_updated: at(1) }], { key: 'n.id' });
  const copy = await storeWith([], { key: 'n.id' });
  await new CopyBuilder(dotted, copy).run();
  expect(await new CopyBuilder(dotted, copy).run()).toMatchObject({ total: 0 });
});

test('D-16: of documents with one key the newest stays, whatever their order', async () => {
  const source = new ConcatStore([
    await storeWith([{ k: 1, v: 'new', last_updated: at(9) }]),
    await storeWith([{ k: 1, v: 'old', last_updated: at(2) }]),
  ]);
  const target = await storeWith([{ k: 0 }]);
  const report = await new CopyBuilder(source, target).run();
  expect(report).toMatchObject({ total: 1, warnings: 1 });
  expect(await target.queryOne({ k: 1 })).toMatchObject({ v: 'new' });
});

class PickyBuilder extends MapBuilder {
  unaryFunction({ a }: Doc) {
    if (a > 1) throw new RangeError('too large');
    return { b: a };
  }
}

test('D-17, D-18: failed items are found by a query about the source, also for chunks', async () => {
  const source = await storeWith([
    { k: 1, a: 1, last_updated: at(1) },
    { k: 2, a: 2, last_updated: at(1) },
  ]);
  const target = await storeWith([]);
  await new PickyBuilder(source, target).run();
  const retrying = new PickyBuilder(source, target, { query: { a: 2 }, retryFailed: true });
  expect(await retrying.run()).toMatchObject({ total: 1, failed: 1 });
  const chunks: unknown[] = [];
  for await (const chunk of retrying.prechunk(3)) chunks.push(chunk);
  expect(chunks).toEqual([{ query: { k: { $in: [2] } } }]);
});

test('D-19: a field "state" or "error" of the user is not ours', async () => {
  const source = await storeWith([
    { k: 1, state: 'California', error: 'none', last_updated: at(1) },
    { k: 2, state: 'failed', error: 'of the experiment', last_updated: at(1) },
  ]);
  const target = await storeWith([]);
  await new CopyBuilder(source, target, { metaField: '_maggma' }).run();
  expect((await contents(target)).map(({ state }) => state)).toEqual(['California', 'failed']);
  const again = new CopyBuilder(source, target, { metaField: '_maggma', retryFailed: true });
  expect(await again.run()).toMatchObject({ total: 0 });
});

test('D-24: nothing that is handed over is changed', async () => {
  const doc = Object.freeze({ k: 1, a: Object.freeze({ b: 1 }) });
  const criteria = Object.freeze({ $or: Object.freeze([Object.freeze({ alias: 1 })]) });
  const inner = await storeWith([], { key: 'k' });
  const store = new AliasingStore(inner, { alias: 'a' }, { key: 'k' });
  await store.connect();
  await store.update(doc);
  await store.query(criteria as never).toArray();
  await new SandboxStore(inner, 'box').connect();
  expect(await inner.count()).toBe(1);
});

test('D-26: a sandbox neither overwrites nor removes what is outside of it', async () => {
  const inner = await storeWith([{ k: 1, v: 'global' }]);
  const box = new SandboxStore(inner, 'box');
  await box.connect();
  await box.update({ k: 2, v: 'mine' });
  await box.removeDocs({});
  expect(await inner.queryOne({ k: 1 })).toMatchObject({ v: 'global' });
});

test('D-27: a key that several stores of a ConcatStore have is built once', async () => {
  const source = new ConcatStore([
    await storeWith([{ k: 1, v: 1, last_updated: at(1) }]),
    await storeWith([{ k: 1, v: 2, last_updated: at(2) }]),
  ]);
  const target = await storeWith([{ k: 0 }]);
  expect(await new CopyBuilder(source, target).run()).toMatchObject({ total: 1, processed: 1 });
  expect(await target.queryOne({ k: 1 })).toMatchObject({ v: 2 });
});

test('D-28: what a validator refused is not built again', async () => {
  const validator = {
    strict: false,
    isValid: () => false,
    validationErrors: () => ['$: no'],
  };
  const source = await storeWith([{ k: 1, last_updated: at(1) }]);
  const target = await storeWith([], { validator });
  expect(await new CopyBuilder(source, target).run()).toMatchObject({ total: 1, invalid: 1 });
  expect(await new CopyBuilder(source, target).run()).toMatchObject({ total: 0 });
});

test('D-30: time stamps as monty writes them are time stamps', async () => {
  const stamp = await fromDict<Date>({
    '@module': 'datetime',
    '@class': 'datetime',
    string: '2020-01-01 00:00:05.000000',
  });
  const file = path.join(folder, 'monty.json');
  writeFileSync(
    file,
    '[{"k":1,"last_updated":{"@module":"datetime","@class":"datetime","string":"2020-01-01 00:00:05.000000"}}]',
  );
  expect(existsSync(file)).toBe(true);
  await using source = new JSONStore(file, { key: 'k' });
  await source.connect();
  const target = await storeWith([{ k: 1, last_updated: at(1) }]);
  expect(await target.newerIn(source).toArray()).toEqual([1]);
  expect(stamp.getTime()).toBe(at(5).getTime());
});
