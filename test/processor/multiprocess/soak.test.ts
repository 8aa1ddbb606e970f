import type { Doc } from 'maggma';
import { MemoryStore, MultiProcessor } from 'maggma';
import { expect, test } from 'vitest';
import { SCALE } from '../../effort.js';
import { TroubleBuilder } from '../../fixtures/trouble.js';
import { childrenOf } from './support.js';

const ITEMS = Math.round(1_000_000 * SCALE);
const KILL_MS = 1000;
const MB = 2 ** 20;

test(`${ITEMS} items are built, each once, while workers are killed all the time`, async () => {
  const store = () => new MemoryStore({ key: 'k' });
  const builder = new TroubleBuilder(store(), store());
  const built = new Uint8Array(ITEMS);
  // The coordinator's side is this test's own: nothing is kept, so that memory shows what the pipeline needs.
  Object.assign(builder, {
    *getItems() {
      builder.total = ITEMS;
      for (let k = 0; k < ITEMS; k++) yield { k, text: 'some text' };
    },
    async updateTargets(docs: readonly Doc[]) {
      for (const { k } of docs) (built[k] as number)++;
      written += docs.length;
      // A quiet machine is done before the first second is over.
      if (kills === 0) kill();
    },
  });
  const memory: number[] = [];
  let kills = 0;
  let written = 0;
  let writtenAtKill = 0;
  const kill = () => {
    const workers = childrenOf(process.pid).filter((line) => line.includes('process-supervisor'));
    const victim = workers[kills % Math.max(1, workers.length)];
    if (victim === undefined) return;
    kills++;
    writtenAtKill = written;
    process.kill(Number(victim.split(' ')[0]), 'SIGKILL');
  };
  const timer = setInterval(() => {
    memory.push(process.memoryUsage.rss() / MB);
    // On a busy machine workers may take longer than that to start.
    if (written > writtenAtKill) kill();
  }, KILL_MS);
  try {
    const processor = new MultiProcessor({ numWorkers: 2, isolation: 'process', maxAttempts: 20 });
    const report = await processor.run(builder);
    expect(report).toMatchObject({ total: ITEMS, succeeded: ITEMS, failed: 0 });
  } finally {
    clearInterval(timer);
  }
  expect(built.every((times) => times === 1)).toBe(true);
  expect(kills).toBeGreaterThan(0);
  memory.push(process.memoryUsage.rss() / MB);
  const half = memory.slice(Math.floor(memory.length / 3));
  const growth = (half.at(-1) ?? 0) - (half[0] ?? 0);
  const span = `${Math.min(...memory).toFixed(0)} to ${Math.max(...memory).toFixed(0)} MB`;
  console.log(
    `${kills} workers were killed; memory ${span}, grew by ${growth.toFixed(0)} MB after a third`,
  );
  expect(growth).toBeLessThan(150);
}, 1_200_000);
