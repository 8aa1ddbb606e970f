import { spawnSync } from 'node:child_process';
import { describe, expect } from 'vitest';
import type { Running } from './mrun-process.js';
import { countingBuilder, test } from './mrun-process.js';
import type { Deed } from './orders.js';
import { writeOrders } from './orders.js';
import { VirtualScreen } from './virtual-screen.js';

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) process.stderr.write('SKIPPED: the tests of summaries need python3\n');

/** What a person sees at the end, from the table on. */
async function seen(running: Running, columns: number): Promise<string[]> {
  await running.finished;
  const screen = new VirtualScreen(columns, 24);
  screen.write(running.stdout);
  expect(screen.cursorVisible).toBe(true);
  const { lines } = screen;
  return lines.slice(lines.findIndex((line) => /^(builder|b?uil.*…) /.test(line)));
}

const DEEDS: (Deed | null)[] = [null, 'throw', null, 'throw', 'throw', 'throw'];

describe.skipIf(!hasPython)('at the end of a run on a terminal, mrun', { concurrent: true }, () => {
  test.for([[[]], [['-n', '2']], [['--no-bars']], [['--parallel-builders']]] as const)(
    'shows what was built, and what failed: %j',
    async ([args], { project }) => {
      const first = writeOrders(project, [null, null], {}, 'first');
      const second = writeOrders(project, DEEDS, {}, 'second');
      const running = project.startInTerminal(80, 24, [...args, first, second]);
      expect(await seen(running, 80)).toEqual([
        expect.stringMatching(
          /^builder {9}status {5}built {2}failed +time +items\/s {2}slowest stage$/,
        ),
        expect.stringMatching(/^ObeyingBuilder {2}succeeded +2 +0 +[\d.]+ m?s +[\d.]+ {2}\w+/),
        expect.stringMatching(/^ObeyingBuilder {2}succeeded +2 +4 +[\d.]+ m?s +[\d.]+ {2}\w+/),
        'ObeyingBuilder: 4 of 6 items failed',
        ...[1, 3, 4].map(() => expect.stringMatching(/^ {2}\d: cannot build \d$/)),
        '  and 1 more',
        'See all failures: mrun failures first.json second.json',
      ]);
      expect((await running.finished).code).toBe(3);
    },
  );

  test.for([[60], [40], [20]] as const)('fits %i columns', async ([columns], { project }) => {
    const file = writeOrders(project, DEEDS);
    const [heading = '', row = '', ...rest] = await seen(
      project.startInTerminal(columns, 24, [file]),
      columns,
    );
    expect(heading).toMatch(/built +failed/);
    expect(row).toMatch(/^Obe.* 2 +4( |$)/);
    expect(rest[0]).toMatch(/^ObeyingBuilder: 4 o?/);
    expect(rest.slice(1, 5).map((line) => line.slice(0, 3))).toEqual(['  1', '  3', '  4', '  a']);
    expect(rest.slice(5).join('')).toBe('See all failures: mrun failures b.json');
  });

  test('says when there is nothing to do', async ({ project }) => {
    const file = writeOrders(project, [null, null]);
    await project.run(file);
    const running = project.startInTerminal(80, 24, ['--no-bars', file]);
    expect(await running.finished).toEqual({
      code: 0,
      stdout: 'ObeyingBuilder: everything is up to date\r\n',
      stderr: '',
    });
  });

  test('says what was stopped and what was not begun', async ({ project }) => {
    project.write('a.json', countingBuilder({ items: 5000, pause_ms: 20, say: 'item' }, 'a.out'));
    project.write('b.json', countingBuilder({}, 'b.out'));
    const running = project.startInTerminal(80, 24, ['--no-bars', 'a.json', 'b.json']);
    await running.until('an item', () => running.stdout.includes('item 3'));
    running.type('\x03');
    expect(await seen(running, 80)).toEqual([
      expect.stringMatching(/^builder +status +built +time/),
      expect.stringMatching(/^CountingBuilder {2}cancelled +\d+ +[\d.]+ m?s /),
      expect.stringMatching(/^CountingBuilder {2}cancelled +0$/),
      expect.stringMatching(/^Interrupted: \d+ of 5000 items of CountingBuilder were built, 1 bu/),
      expect.stringMatching(/run it again to build the rest$/),
    ]);
  });

  test('says which builds failed, and which were skipped for it', async ({ project }) => {
    const store = (paths: string, read_only = true) => ({
      '@module': 'maggma.stores.mongolike',
      '@class': 'JSONStore',
      '@version': null,
      paths,
      read_only,
    });
    const [lost, middle] = [store('no-such-folder/source.json'), store('middle.out', false)];
    project.write('first.json', { ...countingBuilder(), source: lost, target: middle });
    project.write('second.json', { ...countingBuilder(), source: middle });
    const running = project.startInTerminal(100, 24, ['first.json', 'second.json']);
    const lines = await seen(running, 100);
    expect(lines[1]).toMatch(/^CountingBuilder {2}failed +0 +[\d.]+ m?s$/);
    expect(lines[2]).toMatch(/^CountingBuilder {2}skipped +0$/);
    expect(lines[3]).toMatch(/^mrun: CountingBuilder failed: Cannot connect/);
  });

  test.for([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ TERM: 'dumb' }, false],
  ] as const)('has colours where they are wanted: %j', async ([env, isColoured], { project }) => {
    const file = writeOrders(project, DEEDS);
    const running = project.startInTerminal(80, 24, ['--no-bars', file], env);
    const { stdout } = await running.finished;
    expect(stdout.includes('\x1b[31mERROR\x1b[39m')).toBe(isColoured);
    expect(stdout.includes('\x1b[32msucceeded\x1b[39m')).toBe(isColoured);
    expect(stdout.includes('\x1b')).toBe(isColoured);
  });

  test('keeps to itself what a pipe has no use for', async ({ project }) => {
    const file = writeOrders(project, DEEDS);
    const { stdout } = await project.startInTerminal(80, 24, ['--no-bars', file]).finished;
    expect(stdout).toContain('slowest stage');
    expect((await project.run('--full-refresh', file)).stderr).not.toContain('slowest stage');
  });
});
