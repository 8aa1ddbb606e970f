import { expect, test } from 'vitest';
import { rebatch } from '../../src/util/rebatch.js';

test('cuts batches of any length into batches of one length', async () => {
  const batches = async function* () {
    yield [1];
    yield [];
    yield [2, 3, 4, 5];
  };
  const cut: number[][] = [];
  for await (const batch of rebatch(batches(), 2)) cut.push(batch);
  expect(cut).toEqual([[1, 2], [3, 4], [5]]);
});
