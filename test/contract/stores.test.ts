import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { JSONStore } from '../../src/store/memory/json-store.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { testStore } from '../../src/testing/index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-contract-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

testStore(
  { describe, it },
  {
    name: 'MemoryStore',
    create: (options) => new MemoryStore(options),
  },
);

testStore(
  { describe, it },
  {
    name: 'JSONStore',
    create: (options) =>
      new JSONStore(path.join(folder, `${++files}.json`), { ...options, readOnly: false }),
  },
);

testStore(
  { describe, it },
  {
    name: 'JSONStore, gzipped, written when closed',
    create: (options) =>
      new JSONStore(path.join(folder, `${++files}.json.gz`), {
        ...options,
        readOnly: false,
        flush: 'close',
      }),
  },
);
