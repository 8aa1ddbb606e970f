import { describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../../src/errors/query-errors.js';
import { compileFilter } from '../../../src/query/criteria.js';
import type { Doc } from '../../../src/query/document.js';
import { getPath } from '../../../src/query/path.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { SCALE, SEED } from '../../effort.js';
import { Generator } from '../../query/generate.js';
import { sameDocs } from '../../query/support.js';
import { opened } from './support.js';

console.log(`SQLiteStore against MemoryStore: TEST_SEED=${SEED}`);

/** What an index must not get wrong: texts that agree as far as it keeps them, and long arrays. */
const TRICKY = [
  ...[1, 2, 3].map((n) => ({ a: `${'same '.repeat(120)}${n}`, b: n })),
  { a: [`${'same '.repeat(120)}2`, 5] },
  { a: { b: `${'same '.repeat(120)}2` } },
  { a: Array.from({ length: 200 }, (_, n) => n) },
  { a: [1, 10] },
  { a: [[1, 10], 3] },
  { a: [] },
  { a: [{ b: 1 }, { b: 10 }] },
  {},
];

async function twins(generator: Generator, count: number) {
  const sqlite = await opened({ key: '_id' });
  const memory = new MemoryStore({ key: '_id' });
  await memory.connect();
  const docs = [
    ...Array.from({ length: count }, (_, id) => generator.doc(id)),
    ...TRICKY.map((doc, i) => ({ _id: `tricky ${i}`, ...doc })),
  ];
  for (const store of [sqlite, memory]) await store.update(docs);
  for (const path of ['a', 'b', 'a.b', 'a.0', 'b.a']) await sqlite.ensureIndex(path);
  return { sqlite, memory, docs };
}

/** Fails with what is needed to see why. */
function explain(question: object, found: readonly Doc[], wanted: readonly Doc[]): never {
  const missing = wanted.filter(
    (doc) => !found.some((other) => sameDocs([doc], [other], { ordered: true })),
  );
  const surplus = found.filter(
    (doc) => !wanted.some((other) => sameDocs([doc], [other], { ordered: true })),
  );
  return expect.fail(
    JSON.stringify({ SEED, question, missing, surplus, found: found.length }, null, 1),
  );
}

test('random filters find the same through indexes as without', { timeout: 600_000 }, async () => {
  const filters = Math.ceil(4000 * SCALE);
  const generator = new Generator(SEED);
  for (let done = 0; done < filters; ) {
    const { sqlite, memory, docs } = await twins(generator, 150);
    for (let i = 0; i < 100; i++, done++) {
      const filter = validFilter(() =>
        i % 3 === 0 ? rangeFilter(generator, docs) : generator.criteria(),
      );
      const [found, wanted] = [
        await sqlite.query(filter).toArray(),
        await memory.query(filter).toArray(),
      ];
      if (!sameDocs(found, wanted, { ordered: false })) explain(filter, found, wanted);
      expect(await sqlite.count(filter)).toBe(wanted.length);
    }
    await sqlite.close();
  }
});

/** Bounds and lists on the paths that have indexes, also several at once. */
function rangeFilter({ random }: Generator, docs: readonly Doc[]): Doc {
  const value = (): unknown => {
    const doc = random.pick(docs);
    const found = doc['a']?.['b'] ?? doc['a'] ?? doc['b'];
    return Array.isArray(found) && random.chance(0.7) ? found[0] : found;
  };
  const condition = (): Doc => {
    const operators: Doc = {};
    if (random.chance(0.6)) operators[random.pick(['$gt', '$gte'])] = value();
    if (random.chance(0.6)) operators[random.pick(['$lt', '$lte'])] = value();
    if (random.chance(0.2)) operators['$in'] = [value(), value()];
    if (random.chance(0.1)) operators['$eq'] = value();
    return operators;
  };
  const path = () => random.pick(['a', 'b', 'a.b', 'a.0', 'b.a', '_id']);
  const filter: Doc = {};
  for (let i = 0; i <= random.below(2); i++) filter[path()] = condition();
  return random.chance(0.3) ? { $and: [filter, { [path()]: condition() }] } : filter;
}

test('random sorts give the same order, ties included', { timeout: 600_000 }, async () => {
  const sorts = Math.ceil(2000 * SCALE);
  const generator = new Generator(SEED + 1);
  const { random } = generator;
  for (let done = 0; done < sorts; ) {
    const { sqlite, memory } = await twins(generator, 250);
    for (let i = 0; i < 50; i++, done++) {
      const sort = random.chance(0.5)
        ? { [random.pick(['a', 'b', 'a.b', 'a.0', 'b.a', '_id'])]: random.pick([1, -1] as const) }
        : generator.sort();
      const filter = random.chance(0.5) ? {} : validFilter(() => generator.criteria());
      const options = {
        sort,
        ...(random.chance(0.5) && { skip: random.below(20) }),
        ...(random.chance(0.5) && { limit: random.below(300) }),
        ...(random.chance(0.3) && { properties: { a: 1, _id: 0 } }),
      };
      const [found, wanted] = [
        await sqlite.query(filter, options).toArray(),
        await memory.query(filter, options).toArray(),
      ];
      if (!sameDocs(found, wanted, { ordered: true })) explain({ filter, options }, found, wanted);
    }
    await sqlite.close();
  }
});

describe.each([['a'], ['a', 'b'], ['b.a'], ['_id']].map((key) => ({ key })))(
  'with the key $key',
  ({ key }) => {
    test('random updates and removals leave the same documents and indexes', async () => {
      const generator = new Generator(SEED + 2);
      const { random } = generator;
      const [first = ''] = key;
      const sqlite = await opened({ key: first });
      const memory = new MemoryStore({ key: first });
      await memory.connect();
      for (const path of ['a', 'b', 'c', 'b.a']) await sqlite.ensureIndex(path);
      for (let i = 0; i < 1000 * SCALE; i++) {
        const docs = random
          .list(8, () => ({ ...generator.fields(2), _id: random.below(200) }) as Doc)
          .filter((doc) => key.every((path) => getPath(doc, path) !== undefined));
        const criteria = random.chance(0.2) ? validFilter(() => generator.criteria()) : null;
        const outcomes: unknown[] = [];
        for (const store of [sqlite, memory])
          outcomes.push(
            await (criteria ? store.removeDocs(criteria) : store.update(docs, { key })).catch(
              (error: { code: string }) => error.code,
            ),
          );
        expect(outcomes[0], `TEST_SEED=${SEED}, step ${i}`).toEqual(outcomes[1]);
        const found = await sqlite.query().toArray();
        const wanted = await memory.query().toArray();
        if (!sameDocs(found, wanted, { ordered: false }))
          explain({ step: i, docs, criteria }, found, wanted);
        expect(await sqlite.count()).toBe(wanted.length);
        for (const path of ['a', 'b', 'c', 'b.a'])
          for (const direction of [1, -1] as const) {
            const sorted = await sqlite.query({}, { sort: { [path]: direction } }).toArray();
            expect(sorted.length, `TEST_SEED=${SEED}, step ${i}, ${path}`).toBe(wanted.length);
          }
      }
      await sqlite.close();
    });
  },
);

/** Not everything that is made up at random is a filter. */
function validFilter(make: () => Doc): Doc {
  for (;;) {
    const filter = make();
    try {
      compileFilter(filter);
      return filter;
    } catch (error) {
      if (!(error instanceof InvalidQueryError)) throw error;
    }
  }
}
