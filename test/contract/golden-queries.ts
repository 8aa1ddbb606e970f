import { readFileSync } from 'node:fs';
import { EJSON } from 'bson';
import { afterAll, describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { cloneValue } from '../../src/query/clone.js';
import { equalValues } from '../../src/query/compare.js';
import type { Doc } from '../../src/query/document.js';
import type { Projection } from '../../src/query/projection.js';
import type { SortSpec } from '../../src/query/sort.js';
import type { Store } from '../../src/store/store.js';
import type { QueryOptions } from '../../src/store/store-options.js';
import { deepFreeze, sameDocs, sortedKeys } from '../query/support.js';

interface GoldenCase {
  readonly id: string;
  readonly kind: 'find' | 'agg' | 'distinct';
  readonly docs: readonly Doc[];
  readonly filter: Doc;
  readonly proj?: Projection;
  readonly sort?: SortSpec;
  readonly skip?: number;
  readonly limit?: number;
  readonly field?: string;
  readonly expect: readonly unknown[] | 'ERROR';
  /** Whole documents are compared, not only their `_id`. */
  readonly exact?: boolean;
  /** The order of their fields counts, too. */
  readonly keyOrder?: boolean;
  readonly testServerDiffers?: string;
}

const FILE = new URL('../golden/mongo-queries.json', import.meta.url);
const CASES: readonly GoldenCase[] = EJSON.parse(readFileSync(FILE, 'utf8'), { relaxed: false });
for (const { docs, filter, proj } of CASES)
  for (const part of [docs, filter, proj]) deepFreeze(part);

const QUERIES = CASES.filter(({ kind }) => kind !== 'agg');

/** Aggregations that group by fields and only count: what `groupBy` answers. */
const GROUPINGS: Readonly<Record<string, readonly string[]>> = {
  'g-compound': ['x', 'y'],
  'g-oid': ['x'],
  'g-date': ['x'],
  'g-dotted-array': ['a.b'],
  sortbycount: ['k'],
  'g-null-missing': ['a'],
};

/** Aggregations that ask for what a store does not have. */
const OUT_OF_SCOPE: Readonly<Record<string, string>> = {
  'g-sum-nonnum': '$sum and $avg',
  'g-sum-long': '$sum',
  'g-push-missing': '$push',
  'g-minmax-types': '$min and $max',
  'g-max-long': '$max',
  'lookup-pipeline': '$lookup',
  facet: '$facet',
  'addfields-array': '$addFields',
  replaceroot: '$replaceRoot',
  bucket: '$bucket',
  'concat-null': 'computed fields: $concat and $ifNull',
  'tostring-oid': 'computed fields: $toString',
  'type-op': 'computed fields: $type',
  datetostring: 'computed fields: $dateToString',
  setwindow: '$setWindowFields',
  'agg-nomutate': '$unset, $unwind and $set',
};

/** How the golden queries get stores of one kind. */
export interface GoldenHarness {
  readonly name: string;
  /** Makes an empty store, not connected, whose key is `_id`. */
  create(): Store;
  /** Cases in which the backend itself differs from MongoDB, each with the reason. */
  readonly differs?: Readonly<Record<string, string>>;
}

/** Registers every golden case that a store can be asked. */
export function testGoldenQueries({ name, create, differs = {} }: GoldenHarness): void {
  describe(`the golden queries, put to ${name}`, () => {
    const done = { find: 0, distinct: 0, group: 0, differing: 0 };

    async function withDocs<R>(
      docs: readonly Doc[],
      ask: (store: Store) => Promise<R>,
    ): Promise<R> {
      await using store = create();
      await store.connect();
      await store.update(docs);
      return await ask(store);
    }

    test.each(QUERIES.map((one) => [one.id, one] as const))('%s', async (id, one) => {
      const problem = await withDocs(one.docs, async (store) => {
        const found = await problemWith(store, one);
        const left = await store.query({}, { sort: { _id: 1 } }).toArray();
        expect(
          sameDocs(left, one.docs, { ordered: false }),
          'the stored documents are as they were',
        ).toBe(true);
        return found;
      });
      if (differs[id] === undefined) expect(problem).toBeUndefined();
      else {
        expect(problem, `${id} agrees, so it must not be listed as differing`).toBeDefined();
        done.differing++;
      }
      done[one.kind as 'find' | 'distinct']++;
    });

    test.each(Object.entries(GROUPINGS))('%s is answered by groupBy', async (id, keys) => {
      const one = CASES.find((other) => other.id === id);
      const docs = (one?.docs ?? []).map((doc, i) => ({ _id: i, ...doc }));
      const groups = await withDocs(docs, async (store) => {
        const found: { group: Doc; n: number }[] = [];
        for await (const { group, docs: members } of store.groupBy(keys, {}, { sort: { _id: 1 } }))
          found.push({ group, n: members.length });
        return found;
      });
      done.group++;
      if (id === 'g-null-missing') {
        // `_id: '$a'` gives null for both; a store groups by `_id: { a: '$a' }`, where they differ.
        const apart = docs.map(({ _id, ...group }) => ({ group, n: 1 }));
        expect(sameDocs(groups, apart, { ordered: true }), text({ groups, apart })).toBe(true);
        return;
      }
      const wanted = ((one?.expect ?? []) as Doc[]).map(({ _id, n, count }) => ({
        _id,
        n: n ?? count ?? 1,
      }));
      expect(wanted.length).toBeGreaterThan(0);
      const found = groups.map(({ group, n }) => ({ _id: idOf(group, keys), n }));
      expect(sameDocs(found, wanted, { ordered: false }), text({ found, wanted })).toBe(true);
    });

    test('every case is asked, grouped or out of scope, and what differs is among them', () => {
      const ids = [
        ...QUERIES.map(({ id }) => id),
        ...Object.keys(GROUPINGS),
        ...Object.keys(OUT_OF_SCOPE),
      ];
      expect(ids.toSorted()).toEqual(CASES.map(({ id }) => id).toSorted());
      const known = QUERIES.map(({ id }) => id);
      expect(Object.keys(differs).filter((id) => !known.includes(id))).toEqual([]);
    });

    afterAll(() => {
      const { find, distinct, group, differing } = done;
      console.log(
        `golden queries, ${name}: ${find} find, ${distinct} distinct, ${group} groupings, ` +
          `${differing} of them known to differ; ${Object.keys(OUT_OF_SCOPE).length} aggregations out of scope`,
      );
    });
  });
}

/** The cases that the server of the tests is marked to answer otherwise, by the file itself. */
export const markedCases = (): readonly string[] =>
  QUERIES.filter(({ testServerDiffers }) => testServerDiffers !== undefined).map(({ id }) => id);

const text = (value: unknown): string => EJSON.stringify(value, { relaxed: false });

/** What is wrong with a store's answer, or undefined. */
async function problemWith(store: Store, one: GoldenCase): Promise<string | undefined> {
  const filter = cloneValue(one.filter);
  const answer = await answerOf(store, one);
  if (!equalValues(filter, one.filter)) return 'the filter was changed';
  if (answer === 'ERROR' || one.expect === 'ERROR')
    return answer === one.expect ? undefined : `${text(answer)} instead of ${text(one.expect)}`;
  const found =
    one.kind === 'find' && !one.exact ? answer.map((doc) => (doc as Doc)['_id']) : answer;
  const tidy = (list: readonly unknown[]) => (one.exact && !one.keyOrder ? sortedKeys(list) : list);
  return sameDocs(tidy(found), tidy(one.expect), { ordered: one.sort !== undefined })
    ? undefined
    : `${text(found)} instead of ${text(one.expect)}`;
}

async function answerOf(store: Store, one: GoldenCase): Promise<readonly unknown[] | 'ERROR'> {
  const options: QueryOptions = {
    properties: one.proj,
    sort: one.sort,
    ...(one.skip !== undefined && { skip: Number(one.skip) }),
    ...(one.limit !== undefined && { limit: Number(one.limit) }),
  };
  try {
    if (one.kind === 'distinct') return await store.distinct(one.field ?? '', one.filter);
    return await store.query(one.filter, options).toArray();
  } catch (error) {
    if (error instanceof InvalidQueryError) return 'ERROR';
    throw error;
  }
}

/** The `_id` that MongoDB gives a group; the file names the parts of a compound one `a` and `b`. */
function idOf(group: Doc, keys: readonly string[]): unknown {
  const values = keys.map((key) => key.split('.').reduce<Doc>((at, name) => at[name], group));
  if (keys.length === 1) return values[0];
  const entries = values.map((value, i) => ['ab'[i], value] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
