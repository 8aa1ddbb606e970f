import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { RegexTimeoutError } from '../../src/errors/query-errors.js';
import { asDict } from '../../src/msonable/dump.js';
import { fromDict } from '../../src/msonable/load.js';
import { JSONStore } from '../../src/store/memory/json-store.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import type { Store } from '../../src/store/store.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-regex-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** On this text the expression goes through more ways to match than there is time for. */
const TEXT = `${'a'.repeat(40)}!`;
const HOSTILE = { $regex: '^(a+)+$' };

const STORES = {
  MemoryStore: (regexTimeoutMs?: number) => new MemoryStore({ key: 'k', regexTimeoutMs }),
  JSONStore: (regexTimeoutMs?: number) =>
    new JSONStore(path.join(folder, 'a.json'), { key: 'k', readOnly: false, regexTimeoutMs }),
  SQLiteStore: (regexTimeoutMs?: number) =>
    new SQLiteStore(path.join(folder, 'a.db'), 'docs', { key: 'k', regexTimeoutMs }),
} as const;

describe.each(Object.entries(STORES))('regexTimeoutMs of a %s', (_, make) => {
  const opened = async () => {
    const store: Store = make(500);
    await store.connect();
    await store.update([
      { k: 1, text: 'harmless', list: [{ text: 'harmless' }] },
      { k: 2, text: TEXT, list: [{ text: 'x' }, { text: TEXT }] },
    ]);
    return store;
  };

  test.each<[string, (store: Store) => Promise<unknown>]>([
    ['a count', (store) => store.count({ text: { $not: HOSTILE } })],
    ['a query', (store) => store.query({ text: HOSTILE }).toArray()],
    ['a removal', (store) => store.removeDocs({ text: HOSTILE })],
    [
      '$elemMatch in a projection',
      (store) =>
        store.query({}, { properties: { list: { $elemMatch: { text: HOSTILE } } } }).toArray(),
    ],
    [
      'the search for the element that matched',
      (store) =>
        store
          .query({ $or: [{ k: 2 }, { 'list.text': HOSTILE }] }, { properties: { 'list.$': 1 } })
          .toArray(),
    ],
  ])('stops a hostile regular expression in %s, and the store stays usable', async (_what, ask) => {
    await using store = await opened();
    const asked = ask(store);
    await expect(asked).rejects.toThrow(RegexTimeoutError);
    await expect(asked).rejects.toThrow(/500 ms/);
    expect(await store.count({ text: { $regex: '^harm' } })).toBe(1);
    await store.update({ k: 3, text: TEXT });
    expect(await store.count({ text: /!$/ })).toBe(2);
    expect(await store.removeDocs({ k: 3 })).toBe(1);
  });

  test('is written when it was given, and read again', async () => {
    const dict = asDict(make(50));
    expect(dict).toMatchObject({ regex_timeout_ms: 50 });
    expect(await fromDict(dict)).toMatchObject({ regexTimeoutMs: 50 });
    expect(asDict(make())).not.toHaveProperty('regex_timeout_ms');
    expect(make().regexTimeoutMs).toBe(null);
  });

  test.each([0, 1.5, '50' as never])('refuses %o', (wrong) => {
    expect(() => make(wrong)).toThrow(InvalidOptionError);
  });
});
