// Only for a real server: it decides what the stores have to answer.
import { afterAll, expect, test } from 'vitest';
import { StoreOperationError } from '../../src/errors/store-errors.js';
import type { Doc } from '../../src/query/document.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import type { Store } from '../../src/store/store.js';
import { SCALE, SEED } from '../effort.js';
import { describeMongo, mongoStore, uniqueDatabase } from '../store/mongo/server.js';
import type { Question } from './differential.js';
import { ask, difference, INDEXES, Questions, text } from './differential.js';

const QUESTIONS = Math.ceil(8000 * SCALE);
const PER_BATCH = 100;
const DOCS = 40;
const SHOWN = 5;

describeMongo('MongoStore against MemoryStore', () => {
  const database = uniqueDatabase();
  const opened: Store[] = [];
  afterAll(async () => {
    for (const store of opened) await store.close();
  });

  async function openStores(batch: number) {
    const memory = new MemoryStore({ key: '_id' });
    const plain = mongoStore(database, `plain${batch}`, { key: '_id' });
    const indexed = mongoStore(database, `indexed${batch}`, { key: '_id' });
    for (const store of [memory, plain, indexed]) {
      await store.connect();
      opened.push(store);
    }
    return { memory, plain, indexed };
  }

  test('a server with and without indexes gives the answers that memory gives', {
    timeout: Math.max(120_000, QUESTIONS * 120),
  }, async () => {
    console.log(`MongoStore against MemoryStore: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);
    const verbs: Record<string, number> = {};
    let unfair = 0;
    for (let tried = 0, batch = 0; tried < QUESTIONS; batch++) {
      const questions = new Questions(SEED + batch);
      const { memory, plain, indexed } = await openStores(batch);
      const docs = questions.docs(DOCS).filter(isFairDocument);
      for (const store of [memory, plain, indexed]) await store.update(docs);
      for (const fields of INDEXES) await indexed.ensureIndex(fields);
      const differences: string[] = [];
      for (let i = 0; i < PER_BATCH && tried < QUESTIONS; i++, tried++) {
        const question = questions.next();
        const wanted = isFair(question, docs) ? await ask(memory, question) : undefined;
        if (wanted === undefined || wanted.values === 'refused') {
          // What we refuse the server may accept, by not looking at it.
          unfair++;
          continue;
        }
        for (const [name, store] of Object.entries({ plain, indexed })) {
          const found = await ask(store, question).catch(unlessCrashed);
          const wrong = found && difference(question, found, wanted, 'as values');
          if (wrong !== undefined) differences.push(`${name}: ${text(question)}: ${wrong}`);
        }
        verbs[question.verb] = (verbs[question.verb] ?? 0) + 1;
      }
      expect(differences.slice(0, SHOWN), `TEST_SEED=${SEED + batch}`).toEqual([]);
    }
    console.log(`MongoStore against MemoryStore: ${JSON.stringify(verbs)}, ${unfair} left out`);
    expect(unfair).toBeLessThan(QUESTIONS / 2);
  });
});

/** DocumentDB's backend ends now and then on odd projections; the next question finds it up again. */
function unlessCrashed(error: unknown): undefined {
  const crashed = /terminated unexpectedly|ECONNRESET|not yet accepting|recovery mode/;
  if (!(error instanceof StoreOperationError && crashed.test(error.message))) throw error;
}

/** DocumentDB sorts an empty array beside null, MongoDB before; and a missing value as MinKey. */
const isFairDocument = (doc: Doc): boolean => !/\[\]|\$minKey/.test(text(doc));

/**
 * Leaves out what DocumentDB, which tests run on, answers otherwise than MongoDB; the rules and their reasons are those
 * of `test/query/differential.mongo.test.ts`.
 */
function isFair(question: Question, docs: readonly Doc[]): boolean {
  if (docs.some((doc) => isKnown(question.criteria, doc))) return false;
  if (question.verb === 'distinct') return !/\d$/.test(question.field);
  if (question.verb !== 'query') return true;
  const { sort = {}, properties = {} } = question.options;
  return !sharesArrays(sort) && !isUnfairProjection(properties);
}

function isKnown(criteria: Doc, doc: Doc): boolean {
  const [asked, stored] = [text(criteria), text(doc)];
  // Decimals with a fraction have bits for it.
  if (asked.includes('$bits') && /"\$numberDecimal":"(?:0\.1|1\.50)"/.test(stored)) return true;
  // Its $in misses numbers that are equal in different classes.
  if (/"\$n?in"/.test(asked) && asked.includes('$number') && stored.includes('$number'))
    return true;
  if (asked.includes('$elemMatch')) {
    // With an index it refuses ranges of arrays in it ("invalid bson type - not supported yet"), without one it does not.
    if (/"\$[gl]te?":\[/.test(asked)) return true;
    // In $all it takes a missing field for not equal to null.
    if (/"\$all":\[\{"\$elemMatch".*"\$[gl]te":null/.test(asked)) return true;
  }
  // A missing value is between the ends of the order for MongoDB only.
  return /"\$[gl]te?":\{"\$m(?:ax|in)Key"/.test(asked);
}

/** Two fields from one array: MongoDB takes both from one element, DocumentDB each from any. */
function sharesArrays(sort: object): boolean {
  const roots = Object.keys(sort).map((path) => path.split('.')[0]);
  return new Set(roots).size < roots.length;
}

/** `$elemMatch` ends DocumentDB beside inclusions, and means exclusion to it beside `_id: 0`. */
function isUnfairProjection(properties: object): boolean {
  if (!text(properties).includes('$elemMatch')) return false;
  if (text(properties).includes('$bits')) return true;
  return Object.values(properties).includes(1) || (properties as Doc)['_id'] === 0;
}
