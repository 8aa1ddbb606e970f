import { ObjectId } from 'bson';
import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/errors/option-errors.js';
import { InvalidDocumentError } from '../../../src/errors/store-errors.js';
import type { Doc } from '../../../src/query/document.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { SandboxStore } from '../../../src/store/wrap/sandbox-store.js';
import { contents, storeWith } from '../../fixtures/stores.js';
import { Generator } from '../../query/generate.js';
import { compare, deepFreeze } from './support.js';

async function sandbox(
  docs: readonly Doc[],
  options: { readonly exclusive?: boolean } = {},
): Promise<{ store: SandboxStore; inner: MemoryStore }> {
  const inner = await storeWith([]);
  await inner.update(
    docs.map((doc, i) => ({ _id: i, ...doc })),
    { key: '_id' },
  );
  const store = new SandboxStore(inner, 'sbx', options);
  await store.connect();
  return { store, inner };
}

const GLOBAL = { k: 1, v: 'global' };
const OTHER = { k: 2, v: 'other', sbxn: ['other'] };
const OWN = { k: 3, v: 'own', sbxn: ['sbx'] };
const SHARED = { k: 4, v: 'shared', sbxn: ['other', 'sbx'] };
const ALL = [GLOBAL, OTHER, OWN, SHARED];

describe('the view', () => {
  test.each([
    [false, [1, 3, 4]],
    [true, [3, 4]],
  ])('exclusive %s shows %j', async (exclusive, keys) => {
    const { store } = await sandbox(ALL, { exclusive });
    expect((await contents(store)).map((doc) => doc['k'])).toEqual(keys);
    expect(await store.count()).toBe(keys.length);
    expect(await store.count({ $or: [{ k: 2 }, { k: 3 }] })).toBe(1);
    expect(await store.distinct('k')).toEqual(keys);
    expect(await store.count({ sbxn: 'other' })).toBe(1);
  });

  test.each([1, 2, 3])(
    'random questions are answered as by its documents alone, seed %i',
    async (seed) => {
      const generator = new Generator(seed);
      const tags = [undefined, ['sbx'], 'sbx', ['x', 'sbx'], ['x'], [], null];
      const docs = Array.from({ length: 60 }, (_, k) => {
        const sbxn = generator.random.pick(tags);
        return { ...generator.doc(k), k, ...(sbxn !== undefined && { sbxn }) };
      });
      for (const exclusive of [true, false]) {
        const { store } = await sandbox(docs, { exclusive });
        const isVisible = ({ sbxn }: Doc) =>
          sbxn === undefined ? !exclusive : sbxn === 'sbx' || sbxn?.includes('sbx');
        const reference = await storeWith(docs.filter(isVisible));
        const found = await compare(store, reference, seed * 1000, 300);
        expect(found.differences).toEqual([]);
        expect(Object.keys(found.answered)).toHaveLength(4);
      }
    },
  );
});

describe('update', () => {
  const write = async (docs: Doc | Doc[], stored: readonly Doc[] = ALL, options = {}) => {
    const { store, inner } = await sandbox(stored);
    const result = await store.update(deepFreeze(docs), options);
    const all = (await inner.query().toArray()).map(({ _id, ...rest }) => rest);
    return { result, all, store, inner };
  };

  test('tags a new document', async () => {
    const { all, result } = await write({ k: 9 });
    expect(result).toEqual({ written: 1, refused: [] });
    expect(all).toEqual([...ALL, { k: 9, sbxn: ['sbx'] }]);
  });

  test('adds to the tags of the document, and to those of the one that it replaces', async () => {
    expect((await write({ k: 9, sbxn: ['core'] })).all[4]).toEqual({ k: 9, sbxn: ['core', 'sbx'] });
    const { all, inner } = await write([
      { k: 3, v: 1 },
      { k: 4, v: 2, sbxn: ['core'] },
    ]);
    expect(all).toEqual([
      GLOBAL,
      OTHER,
      { k: 3, v: 1, sbxn: ['sbx'] },
      { k: 4, v: 2, sbxn: ['other', 'sbx', 'core'] },
    ]);
    expect(await inner.distinct('_id')).toEqual([0, 1, 2, 3]);
  });

  test('stores a document beside those of the same key that are not its own', async () => {
    const { all, store } = await write([
      { k: 1, v: 'mine' },
      { k: 2, v: 'mine' },
      { k: 3, v: 'new' },
      { k: 9 },
    ]);
    expect(all).toEqual([
      GLOBAL,
      OTHER,
      { k: 3, v: 'new', sbxn: ['sbx'] },
      SHARED,
      { k: 1, v: 'mine', sbxn: ['sbx'] },
      { k: 2, v: 'mine', sbxn: ['sbx'] },
      { k: 9, sbxn: ['sbx'] },
    ]);
    const beside = await store.queryOne({ k: 1, sbxn: 'sbx' });
    expect(beside?.['_id']).toBeInstanceOf(ObjectId);
    await store.update([{ k: 1, v: 'again', _id: 'ignored' }]);
    expect(await store.query({ k: 1 }).toArray()).toEqual([
      { _id: 0, ...GLOBAL },
      { _id: beside?.['_id'], k: 1, v: 'again', sbxn: ['sbx'] },
    ]);
  });

  test('looks at all fields of a key', async () => {
    const stored = [
      { k: 1, d: 'a' },
      { k: 1, d: 'b', sbxn: ['sbx'] },
    ];
    const docs = [
      { k: 1, d: 'b', v: 1 },
      { k: 1, d: 'a', v: 2 },
    ];
    expect((await write(docs, stored, { key: ['k', 'd'] })).all).toEqual([
      stored[0],
      { k: 1, d: 'b', v: 1, sbxn: ['sbx'] },
      { k: 1, d: 'a', v: 2, sbxn: ['sbx'] },
    ]);
  });

  test('an element of an array, or a missing key, is not the same key', async () => {
    const stored = [{ k: [7, 8] }, { v: 1 }];
    expect((await write({ k: 7 }, stored)).all).toEqual([...stored, { k: 7, sbxn: ['sbx'] }]);
    expect((await write({ k: null }, stored)).all).toEqual([...stored, { k: null, sbxn: ['sbx'] }]);
  });

  test('does not take the _id of a document outside of the sandbox', async () => {
    const { store, inner } = await sandbox(ALL);
    await expect(store.update([{ k: 9 }, { _id: 1, k: 1 }])).rejects.toThrow(InvalidDocumentError);
    await expect(store.update({ _id: 0, k: 1 }, { key: '_id' })).rejects.toThrow(/outside/);
    expect(await contents(inner)).toEqual(ALL);
    await store.update({ _id: 'mine', k: 1 });
    expect(await inner.count({ _id: 'mine', sbxn: 'sbx' })).toBe(1);
  });

  test('a unique key is an error, and nothing is stored', async () => {
    const { store, inner } = await sandbox(ALL);
    await inner.ensureIndex('k', { unique: true });
    await expect(store.update([{ k: 9 }, { k: 1 }])).rejects.toThrow(InvalidDocumentError);
    expect(await contents(inner)).toEqual(ALL);
  });

  test('the validator of the wrapped store is asked once, before the tag is added', async () => {
    const seen: Doc[] = [];
    const inner = new MemoryStore({
      key: 'k',
      validator: {
        strict: false,
        isValid: (doc) => seen.push(doc) > 0 && doc['k'] !== 2,
        validationErrors: () => ['bad'],
      },
    });
    const store = new SandboxStore(inner, 'sbx');
    await store.connect();
    expect(await store.update([{ k: 1 }, { k: 2 }])).toMatchObject({
      written: 1,
      refused: [{ key: 2 }],
    });
    expect(seen).toEqual([{ k: 1 }, { k: 2 }]);
    expect((await store.update({ k: 2 }, { validate: false })).written).toBe(1);
  });
});

describe('removeDocs', () => {
  test('removes documents of the sandbox only', async () => {
    const { store, inner } = await sandbox(ALL);
    expect(await store.removeDocs({ k: { $lt: 3 } })).toBe(0);
    expect(await store.removeDocs({ $or: [{ k: 1 }, { k: 3 }] })).toBe(1);
    expect(await store.removeDocs({})).toBe(1);
    expect(await contents(inner)).toEqual([GLOBAL, OTHER]);
  });
});

describe('options', () => {
  test('are those of the wrapped store', () => {
    const options = { key: 'x', lastUpdatedField: 'lu', lastUpdatedType: 'isoformat' } as const;
    const inner = new MemoryStore(options);
    const store = new SandboxStore(inner, 'sbx');
    expect(store).toMatchObject({ ...options, sandbox: 'sbx', exclusive: false });
    expect(store.name).toBe('Sandbox[mem://memory_db][sbx]');
    expect(store.identity).toBe(new SandboxStore(inner, 'sbx').identity);
    const others = [
      inner,
      new SandboxStore(inner, 'other'),
      new SandboxStore(inner, 'sbx', { exclusive: true }),
    ];
    for (const other of others) expect(other.identity).not.toBe(store.identity);
    expect(store.capabilities).toEqual({ ...inner.capabilities, rawBatches: false });
  });

  test('are checked', () => {
    const inner = new MemoryStore();
    expect(() => new SandboxStore(inner, '')).toThrow(InvalidOptionError);
    expect(() => new SandboxStore(inner, 'x', { exclusive: 1 as never })).toThrow(
      InvalidOptionError,
    );
    expect(() => new SandboxStore(null as never, 'x')).toThrow(InvalidOptionError);
  });
});
