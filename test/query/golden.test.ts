import { readFileSync } from 'node:fs';
import { EJSON } from 'bson';
import { afterAll, describe, expect, test } from 'vitest';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { cloneValue } from '../../src/query/clone.js';
import { equalValues } from '../../src/query/compare.js';
import { compileFilter } from '../../src/query/criteria.js';
import { distinctValues } from '../../src/query/distinct.js';
import type { Doc } from '../../src/query/document.js';
import { groupKey } from '../../src/query/group.js';
import { compileProjection } from '../../src/query/projection.js';
import type { SortSpec } from '../../src/query/sort.js';
import { compileSort } from '../../src/query/sort.js';
import { deepFreeze, sameDocs, sortedKeys } from './support.js';

interface Case {
  readonly id: string;
  readonly kind: 'find' | 'agg' | 'distinct';
  readonly docs: Doc[];
  readonly filter: Doc;
  readonly proj?: Doc;
  readonly sort?: SortSpec;
  readonly skip?: number;
  readonly limit?: number;
  readonly field?: string;
  readonly pipeline?: Doc[];
  readonly expect: unknown[] | 'ERROR';
  readonly exact?: boolean;
  readonly keyOrder?: boolean;
}

const FILE = new URL('../golden/mongo-queries.json', import.meta.url);
const cases: Case[] = EJSON.parse(readFileSync(FILE, 'utf8'), { relaxed: false });
const ofKind = (kind: Case['kind']) => cases.filter((one) => one.kind === kind);

/**
 * The cases that group by a field or by several, and no more. In these the accumulator only counts;
 * the other aggregation cases ask for accumulators, stages or expressions that grouping does not have.
 */
const GROUPINGS: Readonly<Record<string, readonly string[]>> = {
  'g-compound': ['x', 'y'],
  'g-oid': ['x'],
  'g-date': ['x'],
  'g-dotted-array': ['a.b'],
  sortbycount: ['k'],
};

function find(one: Case): Doc[] {
  const filter = compileFilter(one.filter);
  const projection = compileProjection(one.proj ?? {}, filter);
  let docs = one.docs.filter((doc) => filter.matches(doc));
  if (one.sort) docs = docs.toSorted(compileSort(one.sort).compare);
  const skip = Number(one.skip ?? 0);
  docs = docs.slice(skip, one.limit === undefined ? undefined : skip + Number(one.limit));
  return docs.map((doc) => projection.apply(doc));
}

const done = { find: 0, distinct: 0, group: 0 };

describe('find', () => {
  test.each(ofKind('find').map((one) => [one.id, one] as const))('%s', (_, one) => {
    deepFreeze(one.docs);
    deepFreeze(one.filter);
    deepFreeze(one.proj);
    const before = cloneValue(one.docs);
    if (one.expect === 'ERROR') {
      expect(() => find(one)).toThrow(InvalidQueryError);
    } else {
      const found: unknown[] = find(one).map((doc) => (one.exact ? doc : doc['_id']));
      const tidy = (list: unknown[]) => (one.exact && !one.keyOrder ? sortedKeys(list) : list);
      expect(
        sameDocs(tidy(found), tidy(one.expect), { ordered: one.sort !== undefined }),
        `${EJSON.stringify(found)} for ${EJSON.stringify(one.expect)}`,
      ).toBe(true);
    }
    expect(equalValues(one.docs, before)).toBe(true);
    done.find++;
  });
});

describe('distinct', () => {
  test.each(ofKind('distinct').map((one) => [one.id, one] as const))('%s', (_, one) => {
    const filter = compileFilter(one.filter);
    const values = distinctValues(
      one.docs.filter((doc) => filter.matches(doc)),
      one.field ?? '',
    );
    expect(
      sameDocs(values, one.expect as unknown[], { ordered: false }),
      `${EJSON.stringify(values)} for ${EJSON.stringify(one.expect)}`,
    ).toBe(true);
    done.distinct++;
  });
});

describe('groupings among the aggregation cases', () => {
  test.each(Object.entries(GROUPINGS))('%s', (id, keys) => {
    const one = cases.find((other) => other.id === id);
    const groups = new Map<unknown, { group: Doc; n: number }>();
    for (const doc of one?.docs ?? []) {
      const { hash, group } = groupKey(doc, keys);
      const known = groups.get(hash);
      if (known) known.n++;
      else groups.set(hash, { group, n: 1 });
    }
    const names = ['a', 'b'];
    const found = [...groups.values()].map(({ group, n }) => {
      const values = keys.map((key) => key.split('.').reduce<Doc>((at, name) => at[name], group));
      if (keys.length === 1) return { _id: values[0], n };
      const entries = keys.map((_, i) => [names[i], values[i]] as const);
      return { _id: Object.fromEntries(entries.filter(([, value]) => value !== undefined)), n };
    });
    const wanted = ((one?.expect ?? []) as Doc[]).map(({ _id, n, count }) => ({
      _id,
      n: n ?? count ?? 1,
    }));
    expect(sameDocs(found, wanted, { ordered: false }), EJSON.stringify(found)).toBe(true);
    done.group++;
  });

  test('g-null-missing: null and missing are one group for one field, two in a compound group', () => {
    const docs = cases.find(({ id }) => id === 'g-null-missing')?.docs ?? [];
    // The case is of `_id: '$a'`, where both give null; stores group by `_id: { a: '$a' }`.
    const groups = docs.map((doc) => groupKey(doc, ['a']));
    expect(groups.map(({ group }) => group)).toEqual([{ a: null }, {}, { a: docs[2]?.['a'] }]);
    expect(new Set(groups.map(({ hash }) => hash)).size).toBe(3);
    done.group++;
  });
});

afterAll(() => {
  console.log(
    `golden queries: ${done.find} of ${ofKind('find').length} find, ${done.distinct} of ` +
      `${ofKind('distinct').length} distinct, ${done.group} groupings of ${ofKind('agg').length} agg`,
  );
});
