import { expect, test } from 'vitest';
import { InvalidDocumentError } from '../../../src/errors/store-errors.js';
import { expectConsistent, newFile, opened } from './support.js';

const long = 'long '.repeat(500);

test('keeps a field unique, and writes nothing of a call that would break it', async () => {
  const file = newFile();
  const store = await opened({}, file);
  expect(await store.ensureIndex('u', { unique: true })).toBe(true);
  await store.update([
    { k: 1, u: 'a' },
    { k: 2, u: ['b', 'c'] },
    { k: 3, u: `${long}1` },
  ]);
  for (const u of ['a', 'c', ['x', 'b'], `${long}1`, [`${long}1`]])
    await expect(
      store.update([
        { k: 8, u: 'other' },
        { k: 9, u },
      ]),
      String(u).slice(0, 10),
    ).rejects.toThrow(InvalidDocumentError);
  await expect(store.update({ k: 9, u: 'a' })).rejects.toThrow(/\$\.u: .*unique: 'a'/);
  expect(await store.count()).toBe(3);
  await store.update([
    { k: 1, u: 'd' },
    { k: 4, u: 'a' },
    { k: 5, u: `${long}2` },
    { k: 3, u: `${long}1`, again: true },
  ]);
  expect(await store.count()).toBe(5);
  await store.close();
  await expectConsistent(file);
});

test('lets documents of one call exchange their values', async () => {
  const store = await opened();
  await store.ensureIndex('u', { unique: true });
  await store.update([
    { k: 1, u: 'a' },
    { k: 2, u: 'b' },
  ]);
  await store.update([
    { k: 1, u: 'b' },
    { k: 2, u: 'a' },
  ]);
  expect(await store.count({ k: 1, u: 'b' })).toBe(1);
  await store.close();
});

test('does not claim uniqueness that is not there', async () => {
  const store = await opened();
  await store.update([
    { k: 1, u: 1, missing: 1, long: `${long}1`, list: [1, 2] },
    { k: 2, u: 1, long: `${long}2`, list: [2, 3] },
    { k: 3, long: `${long}3`, list: [] },
  ]);
  expect(await store.ensureIndex('u', { unique: true })).toBe(false);
  expect(await store.ensureIndex('missing', { unique: true })).toBe(false);
  expect(await store.ensureIndex('list', { unique: true })).toBe(false);
  expect(await store.ensureIndex(['u', 'missing'], { unique: true })).toBe(false);
  await store.update({ k: 4, u: 1, missing: 1, long: `${long}4` });
  expect(await store.ensureIndex('long', { unique: true })).toBe(true);
  await expect(store.update({ k: 5, long: `${long}4` })).rejects.toThrow(InvalidDocumentError);
  expect(await store.ensureIndex('k', { unique: true })).toBe(true);
  expect(await store.ensureIndex('_id', { unique: true })).toBe(true);
  expect(await store.ensureIndex(['u', 'k'], { unique: true })).toBe(true);
  await store.removeDocs({ k: { $gt: 1 } });
  expect(await store.ensureIndex('u', { unique: true })).toBe(true);
  await store.close();
});

test('keeps the promise of another connection', async () => {
  const file = newFile();
  const one = await opened({}, file);
  const other = await opened({}, file);
  await one.update({ k: 1, u: 1 });
  expect(await other.count()).toBe(1);
  expect(await one.ensureIndex('u', { unique: true })).toBe(true);
  await expect(other.update({ k: 2, u: 1 })).rejects.toThrow(InvalidDocumentError);
  expect(await one.count()).toBe(1);
  await one.close();
  await other.close();
});
