import { expect, test } from 'vitest';
import { compileFilter } from '../../../src/query/criteria.js';
import type { Doc } from '../../../src/query/document.js';
import { compileProjection } from '../../../src/query/projection.js';
import type { SortSpec } from '../../../src/query/sort.js';
import { compileSort } from '../../../src/query/sort.js';
import { Collection } from '../../../src/store/sqlite/collection.js';
import { Database } from '../../../src/store/sqlite/database.js';
import { loadDriver } from '../../../src/store/sqlite/driver.js';
import { planQuery } from '../../../src/store/sqlite/query-plan.js';
import { newFile, opened, rawFile } from './support.js';

async function planner() {
  const file = newFile();
  const store = await opened({}, file);
  await store.update(
    Array.from({ length: 1000 }, (_, i) => ({
      k: i,
      few: i % 2,
      many: i,
      list: [i, -i],
      unindexed: i,
    })),
  );
  for (const path of ['few', 'many', 'list']) await store.ensureIndex(path);
  await store.close();
  const db = new Database(await loadDriver(), file);
  const collection = new Collection(db, 'docs', 'test');
  return (criteria: Doc, sort: SortSpec | null = null, properties?: Doc) => {
    const state = collection.state();
    if (state === null) return expect.fail('there is no collection');
    const filter = compileFilter(criteria);
    const projection = properties === undefined ? null : compileProjection(properties, filter);
    const find = { filter, sort: sort && compileSort(sort), projection };
    const { access, isSorted } = planQuery(db, state, find);
    const how =
      access.kind === 'some'
        ? access.ids.length
        : access.kind === 'ordered'
          ? `${access.column.path} ${access.direction}${access.isCovered ? ' covered' : ''}`
          : access.kind;
    return isSorted ? how : `${how}, sorted`;
  };
}

test('looks up what few documents have, and reads all of them otherwise', async () => {
  const plan = await planner();
  expect(plan({})).toBe('all');
  expect(plan({ unindexed: 5 })).toBe('all');
  expect(plan({ many: 5 })).toBe(1);
  expect(plan({ many: 5000 })).toBe(0);
  expect(plan({ many: { $in: [1, 2, 3, 3] } })).toBe(3);
  expect(plan({ many: { $in: [] } })).toBe(0);
  expect(plan({ few: 1 })).toBe('all');
  expect(plan({ few: 1, many: 5 })).toBe(1);
  expect(plan({ many: { $gte: 10, $lt: 20 } })).toBe(11);
  expect(plan({ many: { $gte: 10 } })).toBe('all');
  expect(plan({ $and: [{ many: { $gt: 990 } }, { few: { $gte: 0 } }] })).toBe(10);
  expect(plan({ $or: [{ many: 5 }, { many: 6 }] })).toBe('all');
  expect(plan({ many: 'text' })).toBe(0);
  expect(plan({ _id: 5 })).toBe(0);
});

test('takes the bounds of a list apart: each may hold for another element', async () => {
  const plan = await planner();
  expect(plan({ list: { $gte: 990, $lt: 995 } })).toBe(10);
  expect(plan({ list: { $gte: 990, $lt: -995 } })).toBe(5);
});

test('does not take the bounds of a list for those of the element that it is sorted by', async () => {
  const store = await opened();
  await store.update(Array.from({ length: 100 }, (_, i) => ({ k: i, list: [-i, i + 1] })));
  await store.ensureIndex('list');
  const find = (sort: SortSpec, criteria: Doc) => store.query(criteria, { sort }).toArray();
  const up = await find({ list: 1 }, { list: { $gt: 10 } });
  expect(up.map(({ k }) => k)).toEqual(Array.from({ length: 90 }, (_, i) => 99 - i));
  const down = await find({ list: -1 }, { list: { $lt: -10 } });
  expect(down.map(({ k }) => k)).toEqual(Array.from({ length: 89 }, (_, i) => 99 - i));
  await store.close();
});

test('reads in the order of an index, or sorts what it looked up', async () => {
  const plan = await planner();
  expect(plan({}, { many: 1 })).toBe('many 1');
  expect(plan({}, { list: -1 })).toBe('list -1');
  expect(plan({}, { _id: -1, few: 1 })).toBe('_id -1');
  expect(plan({}, { unindexed: 1 })).toBe('all, sorted');
  expect(plan({}, { few: 1, many: 1 })).toBe('all, sorted');
  expect(plan({ many: 5 }, { few: 1 })).toBe('1, sorted');
  expect(plan({ unindexed: 5 }, { few: 1 })).toBe('few 1');
});

test('does not read documents where the index on the key holds what is asked for', async () => {
  const plan = await planner();
  const lean = { _id: 0, k: 1, last_updated: 1 };
  expect(plan({}, { k: 1 }, lean)).toBe('k 1 covered');
  expect(plan({}, { k: -1 }, { last_updated: true, _id: false })).toBe('k -1 covered');
  expect(plan({}, { k: 1 }, { k: 1 })).toBe('k 1');
  expect(plan({}, { k: 1 }, { _id: 0 })).toBe('k 1');
  expect(plan({}, { k: 1 }, { _id: 0, k: 1, few: 1 })).toBe('k 1');
  expect(plan({}, { k: 1 }, { _id: 0, k: { $slice: 1 } })).toBe('k 1');
  expect(plan({}, { k: 1 }, { _id: 0, k: '$few' })).toBe('k 1');
  expect(plan({ few: 1 }, { k: 1 }, lean)).toBe('k 1');
  expect(plan({}, { many: 1 }, { _id: 0, many: 1 })).toBe('many 1');
});

test('has a plan of SQLite that uses the index for every page', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await store.update([{ k: 1 }, { k: 2 }]);
  await store.close();
  const db = await rawFile(file);
  const page = (order: string, side: string) =>
    db
      .prepare(
        `EXPLAIN QUERY PLAN SELECT i.value AS value, i.id, d.body FROM maggma_index_1 i CROSS JOIN maggma_docs_1 d ON d.id = i.id
         WHERE (i.value, i.id) ${side} (?, ?) AND i.id <= ? AND i.roles & 2 ORDER BY i.value ${order}, i.id ${order} LIMIT 10`,
      )
      .all(new Uint8Array(0), 0, 9);
  for (const [order = '', side = ''] of [
    ['ASC', '>'],
    ['DESC', '<'],
  ])
    expect(page(order, side)).toMatchObject([
      { detail: `SEARCH i USING PRIMARY KEY ((value,id)${side}(?,?))` },
      { detail: 'SEARCH d USING INTEGER PRIMARY KEY (rowid=?)' },
    ]);
  db.close();
});
