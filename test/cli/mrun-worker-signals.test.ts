import { describe, expect, vi } from 'vitest';
import type { Project, Running } from './mrun-process.js';
import { test } from './mrun-process.js';
import type { Deed } from './orders.js';
import { writeOrders } from './orders.js';

const ISOLATIONS = ['thread', 'process'] as const;
/** How long anything may be left of a run that has ended. */
const GONE_MS = 2000;

/** Starts two workers; resolves when both are at work on what the first two items ask for. */
async function start(
  project: Project,
  isolation: string,
  deeds: readonly (Deed | null)[],
): Promise<Running> {
  const orders = writeOrders(project, deeds);
  const running = project.start('-v', '-n', '2', '--isolation', isolation, orders);
  const areAtWork = () => project.exists('begun-0') && project.exists('begun-1');
  await vi.waitUntil(areAtWork, { timeout: 60_000, interval: 20 });
  return running;
}

async function signalTwice(running: Running, signal: NodeJS.Signals): Promise<void> {
  running.kill(signal);
  await running.until('the answer', () => running.stderr.includes('Stopping: '));
  // It would not be seen as a second one before.
  await new Promise((resolve) => setTimeout(resolve, 250));
  running.kill(signal);
}

async function expectNothingLeft(project: Project): Promise<void> {
  await vi.waitFor(() => expect(project.processes()).toEqual([]), {
    timeout: GONE_MS,
    interval: 20,
  });
}

describe('mrun with workers', () => {
  test.for(ISOLATIONS)(
    'finishes what is in flight on Ctrl-C: %s',
    async (isolation, { project }) => {
      const deeds = Array.from({ length: 400 }, (_, i): Deed => (i < 2 ? 'begin' : 'pause'));
      const running = await start(project, isolation, deeds);
      running.kill('SIGINT');
      const { code, stderr } = await running.finished;
      expect(code).toBe(130);
      expect(stderr).toContain('Ended ObeyingBuilder: cancelled');
      const target = project.read('b-target.json');
      expect(target.map((doc) => doc['task_id'])).toEqual(expect.arrayContaining([0, 1]));
      expect(stderr.trimEnd().split('\n').at(-1)).toBe(
        `Interrupted: ${target.length} of 400 items were built; run it again to build the rest`,
      );
      await expectNothingLeft(project);
    },
  );

  test.for([
    ['SIGINT', 'thread', 130],
    ['SIGINT', 'process', 130],
    ['SIGTERM', 'thread', 143],
    ['SIGTERM', 'process', 143],
  ] as const)(
    'ends at once on the second %s, whatever its workers do: %s',
    async ([signal, isolation, expected], { project }) => {
      const running = await start(project, isolation, ['loop', 'loop', null]);
      await signalTwice(running, signal);
      const { code, stderr } = await running.finished;
      expect(code).toBe(expected);
      expect(stderr).toContain('Stopping at once\n');
      expect(stderr).toContain('Ended ObeyingBuilder: cancelled');
      await expectNothingLeft(project);
    },
  );

  test.for(ISOLATIONS)(
    'leaves no worker behind when it is killed: %s',
    async (isolation, { project }) => {
      const running = await start(project, isolation, ['loop', 'loop', null]);
      expect(project.processes()).toHaveLength(isolation === 'process' ? 3 : 1);
      running.kill('SIGKILL');
      await expectNothingLeft(project);
      expect((await running.finished).code).toBe(null);
    },
  );
});
