import { expect, test } from 'vitest';
import { MemoryStore } from '../../src/store/memory/memory-store.js';

test('keeps its documents over close(), and forgets them with forceReset', async () => {
  const store = new MemoryStore({ key: 'k' });
  await store.connect();
  await store.update({ k: 1 });
  await store.close();
  await store.connect();
  expect(await store.count()).toBe(1);
  await store.connect({ forceReset: true });
  expect(await store.count()).toBe(0);
  await store.update({ k: 1 });
  expect(await store.query({ k: 1 }).toArray()).toHaveLength(1);
});

test('does not show a running query the documents that are written meanwhile', async () => {
  const store = new MemoryStore({ key: 'k' });
  await store.connect();
  await store.update(Array.from({ length: 10 }, (_, k) => ({ k })));
  let seen = 0;
  for await (const { k } of store.query()) {
    await store.update({ k: k + 100 });
    seen++;
  }
  expect(seen).toBe(10);
});

test('two stores of one name share nothing and are not the same', async () => {
  const [a, b] = [new MemoryStore(), new MemoryStore()];
  expect(a.name).toBe('mem://memory_db');
  expect(a.identity).not.toBe(b.identity);
});

test.each([
  [{ key: '' }, /`key` to be a non-empty string/],
  [{ lastUpdatedType: 'date' as 'datetime' }, /"datetime", "isoformat"/],
  [{ validator: {} as never }, /`validator`/],
  [{ collectionName: 1 as never }, /`collectionName`/],
])('refuses the options %o', (options, message) => {
  expect(() => new MemoryStore(options)).toThrow(message);
});
