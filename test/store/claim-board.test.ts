import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Store } from 'maggma';
import {
  AliasingStore,
  ConcatStore,
  JSONStore,
  MemoryStore,
  SandboxStore,
  SQLiteStore,
} from 'maggma';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testClaims } from './claim-board.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-claims-'));
});
afterAll(() => {
  // Nothing is left of a claim.
  expect(readdirSync(folder).filter((name) => name.includes('claim'))).toEqual([]);
  rmSync(folder, { recursive: true });
});

async function twice(open: () => Store): Promise<[Store, Store]> {
  const stores: [Store, Store] = [open(), open()];
  for (const store of stores) await store.connect();
  return stores;
}

const json = () => new JSONStore(path.join(folder, 'a.json'), { readOnly: false, key: 'k' });
const sqlite = () => new SQLiteStore(path.join(folder, 'a.db'), 'some/name', { key: 'k' });

testClaims('JSONStore', () => twice(json));
testClaims('SQLiteStore', () => twice(sqlite));
testClaims('MemoryStore', async () => {
  const store = new MemoryStore();
  return twice(() => store);
});
testClaims('AliasingStore', () => twice(() => new AliasingStore(sqlite(), { alias: 'name' })));
testClaims('SandboxStore', () => twice(() => new SandboxStore(sqlite(), 'box')));

test('what cannot be written has no claims, and one collection not those of another', async () => {
  expect(new JSONStore(path.join(folder, 'b.json')).claimBoard()).toBeNull();
  expect(new ConcatStore([new MemoryStore()]).claimBoard()).toBeNull();
  const [a, b] = await twice(() => new MemoryStore());
  const claim = { id: 'a', owner: 'b', host: 'c', pid: 1, pidScope: '', since: '', renewed: '' };
  expect(await a.claimBoard()?.swap(null, claim)).toBe(true);
  expect(await b.claimBoard()?.read()).toBeNull();
});

test('a note that cannot be read is named', async () => {
  const [store] = await twice(json);
  const file = path.join(folder, 'a.json.claim');
  writeFileSync(file, '{"id":');
  await expect(store.claimBoard()?.read()).rejects.toThrow(/a\.json\.claim.*: delete it$/);
  rmSync(file);
});
