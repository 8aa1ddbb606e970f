import { describe, it } from 'vitest';
import type { Doc } from '../../../src/query/document.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import type { Find } from '../../../src/store/store.js';
import { AliasingStore } from '../../../src/store/wrap/aliasing-store.js';
import { SandboxStore } from '../../../src/store/wrap/sandbox-store.js';
import { testStore } from '../../../src/testing/index.js';

const ALIASES = {
  a: 'alpha',
  'n.m': 'nm',
  v: 'deep.value',
  k: 'stored_k',
  list: 'k',
  changed: 'lu',
};

testStore(
  { describe, it },
  {
    name: 'AliasingStore',
    create: (options) => new AliasingStore(new MemoryStore(), ALIASES, options),
  },
);

testStore(
  { describe, it },
  {
    name: 'AliasingStore whose options are those of the wrapped store',
    create: (options = {}) => {
      const { key = 'task_id', ...rest } = options;
      const stored = key === '_id' ? key : `_${key}`;
      return new AliasingStore(new MemoryStore({ key: stored, ...rest }), { [key]: stored });
    },
  },
);

/** Shows documents without their tag, as the suite stored them. */
class Untagged extends SandboxStore {
  protected override async *findBatches(find: Find, size: number): AsyncGenerator<Doc[], void> {
    for await (const batch of super.findBatches(find, size)) {
      for (const doc of batch) delete doc['sbxn'];
      yield batch;
    }
  }
}

for (const exclusive of [true, false])
  testStore(
    { describe, it },
    {
      name: exclusive ? 'SandboxStore, exclusive' : 'SandboxStore',
      create: (options) => new Untagged(new MemoryStore(options), 'sbx', { exclusive }),
    },
  );

testStore(
  { describe, it },
  {
    name: 'SandboxStore in an AliasingStore in an AliasingStore',
    create: (options) => {
      const inner = new AliasingStore(new MemoryStore(), { a: 'b' }, options);
      return new AliasingStore(new Untagged(inner, 'sbx'), { b: 'c' });
    },
  },
);
