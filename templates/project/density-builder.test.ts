import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from 'maggma';
import { runBuilder } from 'maggma/testing';
import { DensityBuilder } from './density-builder.js';

const createBuilder = () =>
  new DensityBuilder(new MemoryStore({ key: 'name' }), new MemoryStore({ key: 'name' }));
const last_updated = new Date('2026-01-01');

test('divides mass by volume', async () => {
  const { documents } = await runBuilder(createBuilder(), {
    source: [{ name: 'copper', mass: 8, volume: 2, last_updated }],
  });
  assert.deepEqual(
    documents.map(({ density }) => density),
    [4],
  );
});

test('skips what has no volume, and fails for an impossible one', async () => {
  const { report } = await runBuilder(createBuilder(), {
    source: [
      { name: 'copper', mass: 8, volume: 2, last_updated },
      { name: 'nothing', mass: 1, volume: 0, last_updated },
      { name: 'unknown', mass: 3, last_updated },
    ],
  });
  assert.equal(report.succeeded, 1);
  assert.equal(report.skipped, 1);
  assert.deepEqual(
    report.failures.map(({ key }) => key),
    ['nothing'],
  );
});

test('builds nothing twice', async () => {
  const builder = createBuilder();
  await runBuilder(builder, { source: [{ name: 'copper', mass: 8, volume: 2, last_updated }] });
  const { report } = await runBuilder(builder);
  assert.equal(report.processed, 0);
});
