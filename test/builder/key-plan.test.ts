import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ObjectId } from 'bson';
import { expect, test } from 'vitest';
import { KeyPlan } from '../../src/builder/key-plan.js';

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('maggma-plan-'));

async function collect(plan: KeyPlan, size: number): Promise<unknown[][]> {
  const batches: unknown[][] = [];
  for await (const batch of plan.batches(size)) batches.push(batch);
  return batches;
}

test('gives keys back in their order, in batches', async () => {
  await using plan = new KeyPlan();
  await plan.add([1, 'b']);
  await plan.add([null, 4, 5]);
  expect(plan.length).toBe(5);
  expect(await collect(plan, 2)).toEqual([[1, 'b'], [null, 4], [5]]);
});

test('moves to a file when it grows, keeps types and order, and leaves nothing behind', async () => {
  const before = leftovers();
  const keys = Array.from({ length: 5000 }, (_, i) =>
    i % 3 === 0 ? i : i % 3 === 1 ? new ObjectId() : { at: new Date(i), n: [i] },
  );
  await using plan = new KeyPlan(10_000);
  for (let at = 0; at < keys.length; at += 700) await plan.add(keys.slice(at, at + 700));
  expect(plan.length).toBe(5000);
  expect((await collect(plan, 999)).flat()).toEqual(keys);
  expect(leftovers()).toEqual(before);
});
