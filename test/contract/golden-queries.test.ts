import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import { testGoldenQueries } from './golden-queries.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-golden-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let collections = 0;

testGoldenQueries({ name: 'MemoryStore', create: () => new MemoryStore({ key: '_id' }) });

testGoldenQueries({
  name: 'SQLiteStore',
  create: () =>
    new SQLiteStore(path.join(folder, 'golden.db'), `c${++collections}`, { key: '_id' }),
});
