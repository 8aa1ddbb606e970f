import { describe, expect } from 'vitest';
import { countingBuilder, test } from './mrun-process.js';

/** The order in which builds started and ended. */
const course = (stderr: string) =>
  [...stderr.matchAll(/- (Starting|Ended) /g)].map(([, word]) => word);
const slow = (target: string) => countingBuilder({ items: 10, pause_ms: 20 }, target);

describe('mrun --parallel-builders', { concurrent: true }, () => {
  test.for([[[]], [['-n', '2']]] as const)(
    'runs builders that share no store at the same time: %j',
    async ([args], { project }) => {
      project.write('a.json', [slow('a.out'), slow('b.out')]);
      project.write('c.json', slow('c.out'));
      const files = ['a.json', 'c.json'];
      const { code, stderr } = await project.run('-v', '--parallel-builders', ...args, ...files);
      expect(code).toBe(0);
      expect(course(stderr)).toEqual([...Array(3).fill('Starting'), ...Array(3).fill('Ended')]);
      for (const target of ['a.out', 'b.out', 'c.out']) expect(project.count(target)).toBe(10);
    },
  );

  test('runs those that share a store in their order', async ({ project }) => {
    project.write('a.json', [slow('a.out'), slow('a.out')]);
    const { code, stderr } = await project.run('-v', '--parallel-builders', 'a.json');
    expect(code).toBe(0);
    expect(course(stderr)).toEqual(['Starting', 'Ended', 'Starting', 'Ended']);
  });

  test('runs all in their order without it', async ({ project }) => {
    project.write('a.json', [slow('a.out'), slow('b.out')]);
    const { stderr } = await project.run('-v', '-n', '2', 'a.json');
    expect(course(stderr)).toEqual(['Starting', 'Ended', 'Starting', 'Ended']);
  });

  test('ends all of them on Ctrl-C', async ({ project }) => {
    const endless = (target: string) => countingBuilder({ items: 100_000, pause_ms: 5 }, target);
    project.write('a.json', [endless('a.out'), endless('b.out')]);
    const running = project.start('-v', '--parallel-builders', 'a.json');
    await running.until('both', () => course(running.stderr).length === 2);
    running.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(course(stderr)).toEqual(['Starting', 'Starting', 'Ended', 'Ended']);
    expect(stderr).toMatch(/^Interrupted: .* of CountingBuilder were built, .* were built; /m);
  });
});
