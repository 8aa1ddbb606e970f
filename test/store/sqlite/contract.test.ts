import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { SQLiteStore } from '../../../src/store/sqlite/sqlite-store.js';
import { testStore } from '../../../src/testing/index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true }));

let stores = 0;

testStore(
  { describe, it },
  {
    name: 'SQLiteStore, a file for each',
    create: (options) => new SQLiteStore(path.join(folder, `${++stores}.db`), 'docs', options),
  },
);

testStore(
  { describe, it },
  {
    name: 'SQLiteStore, collections in one file',
    create: (options) => new SQLiteStore(path.join(folder, 'all.db'), `c'"${++stores}`, options),
  },
);
