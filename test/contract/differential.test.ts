import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import type { Store } from '../../src/store/store.js';
import { SCALE, SEED } from '../effort.js';
import type { Question } from './differential.js';
import { ask, difference, INDEXES, Questions, text } from './differential.js';

const QUESTIONS = Math.ceil(20_000 * SCALE);
const PER_BATCH = 100;
const DOCS = 80;
const SHOWN = 5;

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-differential-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** Connected and empty; the first one is what the others are held to. */
async function openStores(): Promise<Record<string, Store>> {
  const file = path.join(folder, `${++files}.db`);
  const stores = {
    'MemoryStore without indexes': new MemoryStore({ key: '_id' }),
    'MemoryStore with indexes': new MemoryStore({ key: '_id' }),
    'SQLiteStore without indexes': new SQLiteStore(file, 'plain', { key: '_id' }),
    'SQLiteStore with indexes': new SQLiteStore(file, 'indexed', { key: '_id' }),
  };
  for (const [name, store] of Object.entries(stores)) {
    await store.connect();
    if (name.endsWith('with indexes'))
      for (const fields of INDEXES) expect(await store.ensureIndex(fields)).toBe(true);
  }
  return stores;
}

test('stores with and without indexes, in memory and in a file, give equal answers', {
  timeout: Math.max(120_000, QUESTIONS * 60),
}, async () => {
  console.log(`stores against each other: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);
  const verbs: Record<string, number> = {};
  let refused = 0;
  for (let asked = 0, batch = 0; asked < QUESTIONS; batch++) {
    const questions = new Questions(SEED + batch);
    const stores = await openStores();
    const differences: string[] = [];
    const put = async (question: Question) => {
      const [[, reference], ...others] = Object.entries(stores) as [
        [string, Store],
        ...[string, Store][],
      ];
      const wanted = await ask(reference, question);
      if (wanted.values === 'refused') refused++;
      for (const [name, store] of others) {
        const wrong = difference(question, await ask(store, question), wanted, 'exactly');
        if (wrong !== undefined) differences.push(`${name}: ${text(question)}: ${wrong}`);
      }
      verbs[question.verb] = (verbs[question.verb] ?? 0) + 1;
      asked++;
    };
    const docs = questions.docs(DOCS);
    for (const store of Object.values(stores)) await store.update(docs);
    for (let i = 0; i < PER_BATCH && asked < QUESTIONS; i++) {
      await put(questions.next());
      if (i % 25 !== 24) continue;
      // Indexes must follow what changes.
      await put({ verb: 'removeDocs', criteria: { ...questions.criteria(), _id: { $lt: i } } });
      const changed = questions.docs(DOCS / 4, i);
      for (const store of Object.values(stores)) await store.update(changed);
      await put({ verb: 'query', criteria: {}, options: { sort: { _id: 1 } } });
    }
    for (const store of Object.values(stores)) await store.close();
    expect(differences.slice(0, SHOWN), `TEST_SEED=${SEED + batch}`).toEqual([]);
  }
  console.log(`stores against each other: ${JSON.stringify(verbs)}, ${refused} refused by all`);
  // A generator that makes nothing but nonsense would prove nothing.
  expect(refused).toBeLessThan(QUESTIONS / 4);
});
