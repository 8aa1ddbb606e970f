import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CopyBuilder } from '../../../src/builder/copy-builder.js';
import type { Doc } from '../../../src/query/document.js';
import type { SQLiteStore } from '../../../src/store/sqlite/sqlite-store.js';
import { SCALE } from '../../effort.js';
import { expectConsistent, kilobyteDocs, newFile, opened } from './support.js';

const COUNT = Math.max(2000, 20_000 * SCALE);

const contents = async (store: SQLiteStore): Promise<Doc[]> => {
  const docs = await store.query({}, { sort: { k: 1 } }).toArray();
  return docs.map(({ _id, _bt, _process_time, state, ...rest }) => rest);
};

test('copies from one collection of a file to another, and then has nothing to do', {
  timeout: 300_000,
}, async () => {
  const file = newFile();
  const source = await opened({}, file, 'source');
  const target = await opened({}, file, 'target');
  await source.update(kilobyteDocs(0, COUNT));
  const first = await new CopyBuilder(source, target).run();
  expect(first).toMatchObject({ status: 'succeeded', succeeded: COUNT });
  expect(await contents(target)).toEqual(await contents(source));
  const second = await new CopyBuilder(source, target).run();
  expect(second).toMatchObject({ status: 'succeeded', total: 0, processed: 0 });
  await source.update(
    kilobyteDocs(10, 15, { last_updated: new Date('2030-01-01'), changed: true }),
  );
  const third = await new CopyBuilder(source, target).run();
  expect(third).toMatchObject({ status: 'succeeded', processed: 5 });
  expect(await target.count({ changed: true })).toBe(5);
  await source.close();
  await target.close();
  await expectConsistent(file);
});

test('builds a collection from itself', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await store.update(kilobyteDocs(0, 2000));
  const before = await contents(store);
  const report = await new CopyBuilder(store, store).run();
  expect(report.status).toBe('succeeded');
  expect(await contents(store)).toEqual(before);
  const twin = await opened({}, file);
  await new CopyBuilder(store, twin).run();
  expect(await contents(twin)).toEqual(before);
  await store.close();
  await twin.close();
  await expectConsistent(file);
});

test('builds nothing from a file that is not there, and does not make it', async () => {
  const file = newFile();
  const source = await opened({}, file);
  const target = await opened();
  const report = await new CopyBuilder(source, target).run();
  expect(report).toMatchObject({ status: 'succeeded', processed: 0 });
  expect(existsSync(file)).toBe(false);
  await source.close();
  await target.close();
});
