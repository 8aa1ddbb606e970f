import { ConcatStore, MemoryStore } from 'maggma';
import { expect, test } from 'vitest';
import { holdStore } from '../../src/store/hold-store.js';

test('the last of those who use a store closes it, once', async () => {
  const store = new MemoryStore();
  const [first, second] = [holdStore(store), holdStore(store)];
  await store.connect();
  const third = holdStore(store);
  await first();
  await second();
  expect(store.connected).toBe(true);
  await third();
  expect(store.connected).toBe(false);
});

test('a store that its owner opened stays open', async () => {
  const store = new MemoryStore();
  await store.connect();
  await holdStore(store)();
  expect(store.connected).toBe(true);
});

test('whoever comes while a store is being closed opens it again, and has it', async () => {
  const store = new MemoryStore();
  const first = holdStore(store);
  await store.connect();
  const closing = first();
  const second = holdStore(store);
  await Promise.all([closing, store.connect()]);
  expect(store.connected).toBe(true);
  await second();
  expect(store.connected).toBe(false);
});

test('two stores that are made of the same ones do not close them under each other', async () => {
  const shared = new MemoryStore();
  const [a, b] = [new ConcatStore([shared]), new ConcatStore([shared])];
  await Promise.all([a.connect(), b.connect()]);
  await a.close();
  expect(await b.count()).toBe(0);
  await b.close();
  expect(shared.connected).toBe(false);
});
