import { expect, test } from 'vitest';
import { CopyBuilder } from '../../../src/builder/copy-builder.js';
import type { Doc } from '../../../src/query/document.js';
import { connected, describeMongo, mongoStore, uniqueDatabase } from './server.js';

const COUNT = 20_000;
const CHANGED = [0, 1, 999, 1000, 7777, 15_000, 19_999];

const sourceDoc = (i: number): Doc => ({
  task_id: `task-${i}`,
  last_updated: new Date(Date.UTC(2024, 0, 1) + i * 1000),
  value: i,
  nested: { list: [i, i + 1], text: `number ${i}` },
});

describeMongo('CopyBuilder', () => {
  const database = uniqueDatabase();
  const source = connected(() => mongoStore(database, 'source'));
  const target = connected(() => mongoStore(database, 'target'));
  const build = () => new CopyBuilder(source(), target()).run();

  test('copies 20 000 documents, then nothing, then what has changed', {
    timeout: 240_000,
  }, async () => {
    await source().ensureIndex(['task_id', 'last_updated']);
    await source().update(Array.from({ length: COUNT }, (_, i) => sourceDoc(i)));
    expect(await build()).toMatchObject({ status: 'succeeded', succeeded: COUNT, failed: 0 });
    expect(await target().count()).toBe(COUNT);
    expect(await target().queryOne({ task_id: 'task-12345' })).toMatchObject(sourceDoc(12_345));

    expect(await build()).toMatchObject({ status: 'succeeded', processed: 0 });

    const changed = CHANGED.map((i) => ({
      ...sourceDoc(i),
      value: -1,
      last_updated: new Date(Date.UTC(2025, 0, 1)),
    }));
    await source().update(changed);
    expect(await build()).toMatchObject({ status: 'succeeded', succeeded: CHANGED.length });
    const copied = await target()
      .query({ value: -1 }, { sort: { task_id: 1 } })
      .toArray();
    expect(copied.map((doc) => doc['task_id'])).toEqual(CHANGED.map((i) => `task-${i}`).sort());
    expect(await target().count()).toBe(COUNT);
    expect(await build()).toMatchObject({ processed: 0 });
  });
});
