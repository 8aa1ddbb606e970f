import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { JSONStore } from '../../src/store/memory/json-store.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { describeStoreContract } from './store-contract.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-contract-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

describeStoreContract({
  name: 'MemoryStore',
  create: (options) => new MemoryStore(options),
});

describeStoreContract({
  name: 'JSONStore',
  create: (options) =>
    new JSONStore(path.join(folder, `${++files}.json`), { ...options, readOnly: false }),
});

describeStoreContract({
  name: 'JSONStore, gzipped, written when closed',
  create: (options) =>
    new JSONStore(path.join(folder, `${++files}.json.gz`), {
      ...options,
      readOnly: false,
      flush: 'close',
    }),
});
