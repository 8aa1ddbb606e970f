import { describe, expect } from 'vitest';
import type { Project, Running } from './mrun-process.js';
import { countingBuilder, test } from './mrun-process.js';

/** Long enough that no test sees its end. */
const SLOW = { items: 100_000, pause_ms: 5, chunk_size: 10 };

async function start(project: Project, ...others: string[]): Promise<Running> {
  project.write('b.json', countingBuilder(SLOW));
  const running = project.start('-v', 'b.json', ...others);
  await running.until('the first batch', () => running.stderr.includes('Processing batch'));
  return running;
}

async function interruptTwice(running: Running): Promise<void> {
  await running.until('the start', () => running.stderr.includes('Starting'));
  running.kill('SIGINT');
  await running.until('the answer', () => running.stderr.includes('Stopping: '));
  // It would not be seen as a second one before.
  await new Promise((resolve) => setTimeout(resolve, 250));
  running.kill('SIGINT');
}

describe('mrun', { concurrent: true }, () => {
  test.for([
    ['SIGINT', 130, 'press Ctrl-C again'],
    ['SIGTERM', 143, 'send SIGTERM again'],
  ] as const)(
    'finishes what is in flight on %s',
    async ([signal, expected, again], { project }) => {
      const running = await start(project);
      running.kill(signal);
      const { code, stderr } = await running.finished;
      expect(code).toBe(expected);
      expect(stderr).toContain(
        `Stopping: finishing what is in flight (${again} to stop at once)\n`,
      );
      expect(stderr).toContain('Ended CountingBuilder: cancelled');
      const built = project.count('target.json');
      expect(stderr.trimEnd().split('\n').at(-1)).toBe(
        `Interrupted: ${built} of 100000 items were built; run it again to build the rest`,
      );
    },
  );

  test('takes two signals of one key press for one', async ({ project }) => {
    const running = await start(project);
    running.kill('SIGINT');
    await running.until('the answer', () => running.stderr.includes('Stopping'));
    running.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).not.toContain('Stopping at once');
    expect(stderr).toContain('Interrupted: ');
  });

  test('stops at once on the second signal', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 3, pause_ms: 600_000 }));
    const running = project.start('-v', 'b.json');
    await interruptTwice(running);
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toContain('Stopping at once\n');
  });

  test('does not wait for a builder that does not end', async ({ project }) => {
    project.write(
      'b.mjs',
      `import { MemoryStore } from 'maggma';
      import { CountingBuilder } from './counting-builder.mjs';
      class Clinging extends CountingBuilder {
        finalize() { return new Promise((resolve) => setTimeout(resolve, 600_000)); }
      }
      export default new Clinging(new MemoryStore(), new MemoryStore(), ${JSON.stringify({ items: 3, pauseMs: 600_000 })});`,
    );
    const running = project.start('-v', 'b.mjs');
    await interruptTwice(running);
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/Stopping at once\n$/);
  });

  test('does not start the other builders', async ({ project }) => {
    const running = await start(project, 'b.json');
    running.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /^Interrupted: \d+ of 100000 items of CountingBuilder were built, 1 builder was not started; /m,
    );
    expect(project.count('target.json')).toBeGreaterThan(0);
  });
});
