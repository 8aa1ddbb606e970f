import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { StoreOperationError } from '../../src/errors/store-errors.js';
import type { Doc } from '../../src/query/document.js';
import { JSONStore } from '../../src/store/memory/json-store.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import type { Store } from '../../src/store/store.js';
import { Disk, PAGE, refusal } from '../fixtures/disk.js';
import { expectConsistent } from './sqlite/support.js';

/** Texts that nothing compresses away; `v` tells one version of a document from the next. */
const documents = (count: number, v: number): Doc[] =>
  Array.from({ length: count }, (_, k) => ({ _id: k, k, v, text: `${k}-`.padEnd(2000, 'x') }));

interface Backend {
  readonly name: string;
  create(file: string): Store;
  /** What else must hold of the file. */
  check(file: string): Promise<void>;
  /** Files that may lie beside the store's own. */
  readonly companions: RegExp;
}

const BACKENDS: readonly Backend[] = [
  {
    name: 'JSONStore',
    create: (file) => new JSONStore(file, { key: 'k', readOnly: false }),
    check: async () => {},
    companions: /^$/,
  },
  {
    name: 'SQLiteStore',
    create: (file) => new SQLiteStore(file, 'docs', { key: 'k' }),
    check: expectConsistent,
    companions: /-(?:wal|shm)$/,
  },
];

/** Nothing at all, less than a page of the database needs, and room for a part of the change. */
const LEFT = [0, 1, 2, 4, 8, 9, 16, 32, 64].map((pages) => pages * PAGE);

const SMALL = documents(50, 1);
const LARGE = documents(200, 2);

describe
  .skipIf(refusal !== undefined)
  .each(BACKENDS.map((backend) => [backend.name, backend] as const))(
  'on a full disk, %s',
  (_, { create, check, companions }) => {
    const contents = (store: Store) => store.query({}, { sort: { k: 1 } }).toArray();

    interface Setting {
      readonly store: Store;
      readonly disk: Disk;
      readonly file: string;
      /** Looks at the file with another store. */
      reopened<R>(read: (store: Store) => Promise<R>): Promise<R>;
    }

    /** A store with documents in it, on an otherwise empty disk. */
    async function withStore(body: (setting: Setting) => Promise<void>): Promise<void> {
      using disk = new Disk();
      const file = path.join(disk.path, 'store');
      const store = create(file);
      await store.connect();
      try {
        await store.update(SMALL);
        await body({
          store,
          disk,
          file,
          async reopened(read) {
            await using other = create(file);
            await other.connect();
            return await read(other);
          },
        });
      } finally {
        disk.empty();
        await store.close();
      }
    }

    test.each(LEFT)(
      'an update that finds %i bytes free is refused whole, and works when there is room',
      (left) =>
        withStore(async ({ store, disk, file, reopened }) => {
          disk.fill(left);
          const failure = await store.update(LARGE).then(
            () => undefined,
            (error: unknown) => error,
          );
          expect(failure).toBeInstanceOf(StoreOperationError);
          expect((failure as Error).message).toMatch(/^Cannot update on .*(?:full|no space)/i);
          expect(await contents(store)).toEqual(SMALL);
          expect(await store.count({ v: 2 })).toBe(0);
          disk.empty();
          expect(await contents(store)).toEqual(SMALL);
          expect(await reopened(contents)).toEqual(SMALL);
          expect(await store.update(LARGE)).toEqual({ written: LARGE.length, refused: [] });
          expect(await contents(store)).toEqual(LARGE);
          await store.close();
          expect(await reopened(contents)).toEqual(LARGE);
          await check(file);
          const others = disk.files.filter((name) => name !== 'store' && !companions.test(name));
          expect(others, 'nothing is left lying about').toEqual([]);
        }),
    );

    test('a failed update leaves no temporary file that takes up the room', () =>
      withStore(async ({ store, disk }) => {
        disk.fill(64 * PAGE);
        await expect(store.update(LARGE)).rejects.toThrow(StoreOperationError);
        await expect(store.update(LARGE)).rejects.toThrow(StoreOperationError);
        const others = disk.files.filter((name) => name !== 'store' && !companions.test(name));
        expect(others).toEqual([]);
      }));

    test('a removal that finds no room is carried out whole or not at all', () =>
      withStore(async ({ store, disk, file, reopened }) => {
        disk.fill(0);
        const outcome = await store.removeDocs({ k: { $gte: 5 } }).catch((error: unknown) => error);
        if (typeof outcome !== 'number') expect(outcome).toBeInstanceOf(StoreOperationError);
        const expected = typeof outcome === 'number' ? SMALL.slice(0, 5) : SMALL;
        expect(await contents(store)).toEqual(expected);
        disk.empty();
        expect(await reopened(contents)).toEqual(expected);
        await store.removeDocs({ k: { $gte: 5 } });
        await store.close();
        expect(await reopened(contents)).toEqual(SMALL.slice(0, 5));
        await check(file);
      }));

    test('closing on a full disk loses nothing that was acknowledged', () =>
      withStore(async ({ store, disk, file, reopened }) => {
        await store.update(documents(100, 3));
        disk.fill(0);
        const failure = await store.close().then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined) expect(failure).toBeInstanceOf(StoreOperationError);
        expect(store.connected).toBe(false);
        disk.empty();
        expect(await reopened(contents)).toEqual(documents(100, 3));
        await check(file);
      }));

    test('what is stored can be read by another store while the disk is full', () =>
      withStore(async ({ disk, reopened }) => {
        disk.fill(0);
        expect(await reopened(contents)).toEqual(SMALL);
      }));

    test('a store whose first document finds no room starts when there is some', () =>
      withStore(async ({ disk }) => {
        const other = create(path.join(disk.path, 'other'));
        await other.connect();
        disk.fill(PAGE);
        await expect(other.update(LARGE)).rejects.toThrow(StoreOperationError);
        expect(await other.count({})).toBe(0);
        disk.empty();
        await other.update(SMALL);
        await other.close();
        await other.connect();
        expect(await contents(other)).toEqual(SMALL);
        await other.close();
      }));
  },
);

test.skipIf(refusal !== undefined)(
  'a JSONStore that finds no room when it is closed keeps its documents, and writes them the next time',
  async () => {
    using disk = new Disk();
    const file = path.join(disk.path, 'store');
    const store = new JSONStore(file, { key: 'k', readOnly: false, flush: 'close' });
    await store.connect();
    await store.update(SMALL);
    disk.fill(PAGE);
    await expect(store.close()).rejects.toThrow(StoreOperationError);
    expect(disk.files).toEqual([]);
    disk.empty();
    await store.connect();
    expect(await store.count()).toBe(SMALL.length);
    await store.close();
    await using other = new JSONStore(file, { key: 'k' });
    await other.connect();
    expect(await other.query({}, { sort: { k: 1 } }).toArray()).toEqual(SMALL);
  },
);
