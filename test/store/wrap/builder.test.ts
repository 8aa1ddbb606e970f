import { describe, expect, test } from 'vitest';
import { CopyBuilder } from '../../../src/builder/copy-builder.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { AliasingStore } from '../../../src/store/wrap/aliasing-store.js';
import { ConcatStore } from '../../../src/store/wrap/concat-store.js';
import { SandboxStore } from '../../../src/store/wrap/sandbox-store.js';
import { at, contents, storeWith } from '../../fixtures/stores.js';

describe('a CopyBuilder', () => {
  test('over a ConcatStore of a store and an AliasingStore builds what is new, once', async () => {
    const plain = await storeWith(
      [
        { task_id: 1, v: 'a', last_updated: at(1) },
        { task_id: 2, v: 'b', last_updated: at(2) },
      ],
      { key: 'task_id' },
    );
    const other = await storeWith([{ tid: 3, meta: { lu: at(3) }, val: 'c' }], {
      key: 'tid',
      lastUpdatedField: 'meta.lu',
    });
    const renamed = new AliasingStore(other, {
      task_id: 'tid',
      last_updated: 'meta.lu',
      v: 'val',
    });
    const source = new ConcatStore([plain, renamed]);
    const target = await storeWith([], { key: 'task_id' });
    const build = () => new CopyBuilder(source, target, { storeProcessTime: false }).run();

    expect((await build()).total).toBe(3);
    expect(await contents(target)).toEqual([
      { task_id: 1, v: 'a', last_updated: at(1), state: 'successful' },
      { task_id: 2, v: 'b', last_updated: at(2), state: 'successful' },
      { task_id: 3, v: 'c', last_updated: at(3), state: 'successful' },
    ]);
    expect((await build()).total).toBe(0);
    await other.update({ tid: 3, meta: { lu: at(9) }, val: 'new' });
    expect((await build()).total).toBe(1);
    expect(await target.queryOne({ task_id: 3 })).toMatchObject({ v: 'new' });
    expect((await build()).total).toBe(0);
  });

  test('into an AliasingStore writes stored names', async () => {
    const source = await storeWith([{ k: 1, v: 'a', last_updated: at(1) }]);
    const inner = new MemoryStore({ key: 'id.n', lastUpdatedField: 'meta.lu' });
    await inner.connect();
    const target = new AliasingStore(inner, { k: 'id.n', last_updated: 'meta.lu', v: 'out.v' });
    const build = () => new CopyBuilder(source, target, { storeProcessTime: false }).run();
    expect((await build()).total).toBe(1);
    const [{ ...stored } = {}] = await contents(inner);
    expect(stored).toEqual({
      id: { n: 1 },
      meta: { lu: at(1) },
      out: { v: 'a' },
      state: 'successful',
    });
    expect((await build()).total).toBe(0);
    await source.removeDocs({});
    await source.update({ k: 2, v: 'b', last_updated: at(1) });
    await new CopyBuilder(source, target, { deleteOrphans: true, maxOrphanShare: 1 }).run();
    expect(await inner.distinct('id.n')).toEqual([2]);
  });

  test('into a SandboxStore leaves global documents alone', async () => {
    const source = await storeWith([{ k: 1, v: 'new', last_updated: at(5) }]);
    const inner = await storeWith([
      { k: 1, v: 'global', last_updated: at(1) },
      { k: 2, v: 'global', last_updated: at(1) },
    ]);
    const target = new SandboxStore(inner, 'sbx');
    const options = { storeProcessTime: false, deleteOrphans: true, maxOrphanShare: 1 };
    const build = () => new CopyBuilder(source, target, options).run();
    expect((await build()).total).toBe(1);
    expect(await inner.distinct('v')).toEqual(['global', 'new']);
    expect(await inner.count({ v: 'global' })).toBe(2);
    expect((await build()).total).toBe(0);
  });
});
