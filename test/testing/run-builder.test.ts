import type { Doc } from 'maggma';
import { InvalidOptionError, MapBuilder, MemoryStore } from 'maggma';
import { replay, runBuilder } from 'maggma/testing';
import { expect, test } from 'vitest';

class DensityBuilder extends MapBuilder {
  unaryFunction({ mass, volume }: Doc) {
    if (volume === 0) throw new RangeError('the volume is zero');
    return { density: mass / volume };
  }
}

const create = () =>
  new DensityBuilder(new MemoryStore({ key: 'name' }), new MemoryStore({ key: 'name' }));
const SOURCE = [
  { name: 'copper', mass: 8, volume: 2 },
  { name: 'nothing', mass: 1, volume: 0 },
];

test('runBuilder gives documents, report and events, and the builder can go on', async () => {
  const builder = create();
  const { documents, report, events } = await runBuilder(builder, { source: SOURCE });
  expect(documents).toMatchObject([
    { name: 'copper', density: 4, state: 'successful' },
    { name: 'nothing', error: 'the volume is zero', state: 'failed' },
  ]);
  expect(report).toMatchObject({ succeeded: 1, failed: 1 });
  const names = events.map(({ name }) => name);
  expect(names).toContain('ITEM_FAILED');
  expect([names[0], names.at(-1)]).toEqual(['BUILD_STARTED', 'BUILD_ENDED']);
  expect((await runBuilder(builder)).report).toMatchObject({ total: 0 });
});

test('runBuilder reports a run that failed', async () => {
  const builder = create();
  Object.assign(builder, { updateTargets: () => Promise.reject(new RangeError('full')) });
  const { report, documents } = await runBuilder(builder, {
    source: SOURCE,
    target: [{ name: 'old' }],
  });
  expect(report).toMatchObject({ status: 'failed', error: { message: 'full' } });
  expect(documents).toEqual([{ name: 'old' }]);
});

test('replay does one item again and throws what it throws', async () => {
  const builder = create();
  await runBuilder(builder, { source: SOURCE });
  const before = await builder.target.query().toArray();
  expect(await replay(builder, 'copper')).toMatchObject({ density: 4 });
  await expect(replay(builder, 'nothing')).rejects.toThrow('the volume is zero');
  await expect(replay(builder, 'gold')).rejects.toThrow(InvalidOptionError);
  expect(await builder.target.query().toArray()).toEqual(before);
});

test('more lists than sources are refused', async () => {
  await expect(runBuilder(create(), { source: [[], [], []] })).rejects.toThrow(/`source`/);
});
