import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect } from 'vitest';
import { freeUrl, writeDeeds } from './deeds.js';
import type { Project, Running } from './mrun-process.js';
import { countingBuilder, test } from './mrun-process.js';
import { writeOrders } from './orders.js';
import { VirtualScreen } from './virtual-screen.js';

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) process.stderr.write('SKIPPED: the tests of progress bars need python3\n');

const STEADY = { items: 60, pause_ms: 20, chunk_size: 5 };

function start(
  project: Project,
  builder: object,
  columns: number,
  args: readonly string[] = [],
  env = {},
): Running {
  project.write('b.json', builder);
  return project.startInTerminal(columns, 24, ['b.json', ...args], env);
}

/** What a person sees by now. */
function look(running: Running, columns: number, rows = 24): VirtualScreen {
  const screen = new VirtualScreen(columns, rows);
  screen.write(running.stdout);
  return screen;
}

/** What a person sees at the end, without the summary. */
function withoutSummary({ lines }: VirtualScreen): string[] {
  const summary = lines.findIndex((line) => line.startsWith('builder '));
  expect(summary).toBeGreaterThan(0);
  return lines.slice(0, summary);
}

const isDone = (line: string | undefined) => / 100%\|█+\|/.test(line ?? '');

describe.skipIf(!hasPython)('on a terminal, mrun', { concurrent: true }, () => {
  test('tells, as a manager, who is at work', async ({ project }) => {
    const file = await writeDeeds(project, [{}, {}, {}]);
    const url = await freeUrl();
    const running = project.startInTerminal(80, 24, ['--url', url, '-N', '3', file]);
    await running.until('the plan', () => running.stdout.includes('chunks'));
    expect(look(running, 80).lines[0]).toBe(
      `DeedBuilder · 0/3 chunks · no workers at ${url} yet`.slice(0, 79),
    );
    const worker = project.startInTerminal(80, 24, ['--url', url, '-n', '2']);
    const { code } = await running.finished;
    const [heading, ...bars] = withoutSummary(look(running, 80));
    expect({ code, heading }).toEqual({
      code: 0,
      heading: 'DeedBuilder · 3/3 chunks · 1 worker (2 slots)',
    });
    expect(bars).toHaveLength(3);
    expect(bars.every(isDone)).toBe(true);
    expect((await worker.finished).code).toBe(0);
    expect(look(worker, 80).lines).toEqual([
      `Waits for chunks at ${url}, 2 at a time`,
      expect.stringMatching(/^Worker \S+: 3 chunks done; the run is over$/),
    ]);
  });

  test.for([
    [80, / Get: +\d+%\|.+\| +\d+\/60 \[00:0\d<00:0\d, \d+\.\d\dit\/s]$/],
    [40, / Get: +\d+%\|.+\| +\d+\/60$/],
    [20, / Get: +\d+%\|.+\|$/],
    [10, /^Get +\d+%$/],
  ] as const)('draws three bars in %i columns', async ([columns, picture], { project }) => {
    const began = performance.now();
    const running = start(project, countingBuilder(STEADY), columns);
    await running.until('the second chunk', () => /\b1\d%/.test(running.stdout));
    const midway = look(running, columns);
    expect(midway.lines[0]).toMatch(picture);
    expect(midway.cursorVisible).toBe(false);
    const { code } = await running.finished;
    const end = look(running, columns);
    expect(code).toBe(0);
    expect(end.lines.slice(0, 3).every((line) => line.includes('100%'))).toBe(true);
    expect(end.lines.slice(0, 3).every((line) => line.length < columns)).toBe(true);
    // The summary.
    expect(end.lines).toHaveLength(5);
    expect(end.lines[4]).toMatch(columns > 10 ? /^Co.* 60\b/ : /^Co/);
    expect(end.cursorVisible).toBe(true);
    expect(end.cursorAtStart).toBe(true);
    const seconds = (performance.now() - began) / 1000;
    expect(end.draws).toBeLessThan(10 * seconds + 5);
  });

  test.for([[[]], [['-n', '2']], [['-n', '2', '--isolation', 'process']]] as const)(
    'prints log lines and what the builder prints above the bars: %j',
    async ([args], { project }) => {
      const builder = countingBuilder({ ...STEADY, fail_every: 10, say: 'item' });
      const running = start(project, builder, 80, ['-v', ...args]);
      expect((await running.finished).code).toBe(3);
      const { lines } = look(running, 80);
      const texts = lines.filter((line) => line !== '');
      expect(texts.filter((line) => /^item \d+$/.test(line))).toHaveLength(60);
      expect(
        texts.filter((line) => / - INFO - Processing batch of \d items$/.test(line)).length,
      ).toBeGreaterThan(10);
      const bars = texts.findIndex((line) => line.includes(' Get: '));
      expect(texts.slice(bars, bars + 3).every(isDone)).toBe(true);
      expect(texts.filter((line) => line.includes('|'))).toHaveLength(3);
      expect(texts.at(-1)).toMatch(/^\(cannot build|.*and 3 more$/);
    },
  );

  test('keeps its bars whole among long lines in a narrow terminal', async ({ project }) => {
    const say = 'a-line-that-is-much-longer-than-the-terminal-is-wide';
    const running = start(project, countingBuilder({ ...STEADY, say }), 20, ['-v']);
    expect((await running.finished).code).toBe(0);
    const { lines } = look(running, 20);
    expect(lines.filter((line) => line.includes('%|'))).toHaveLength(3);
    expect(lines.join('').split('-much-longer-than-')).toHaveLength(61);
  });

  test('prints what builders log in workers above the bars', async ({ project }) => {
    const deeds = Array.from({ length: 40 }, (_, i) => (i % 10 === 3 ? 'warn' : 'pause'));
    const running = project.startInTerminal(80, 24, ['-n', '2', writeOrders(project, deeds)]);
    expect((await running.finished).code).toBe(0);
    const lines = withoutSummary(look(running, 80));
    const logged = lines.slice(0, -3).map((line) => line.split(' - ').slice(1).join(' - '));
    expect(logged.sort()).toEqual(
      [13, 23, 3, 33].map((k) => `ObeyingBuilder - WARNING - ${k} looks odd`),
    );
    expect(lines.slice(-3).every(isDone)).toBe(true);
  });

  test('goes on drawing while an item is in an endless loop', async ({ project }) => {
    const deeds = Array.from({ length: 20 }, (_, i) => (i === 2 ? 'loop' : 'pause'));
    const orders = writeOrders(project, deeds, { timeout: 6 });
    const running = project.startInTerminal(80, 24, ['-n', '2', orders]);
    await running.until('the other worker', () => / 1\d\/20 \[/.test(running.stdout));
    const before = look(running, 80).draws;
    await running.until('more pictures', () => look(running, 80).draws > before + 3);
    expect(running.stdout).not.toContain('timeout');
    expect(look(running, 80).lines[1]).toMatch(/ Process Items: +\d\d%\|.*\| 1\d\/20 \[/);
    expect((await running.finished).code).toBe(3);
    const { lines, cursorVisible } = look(running, 80);
    expect(lines.filter((line) => line.includes('|')).every(isDone)).toBe(true);
    expect(lines.slice(-3)).toEqual([
      'ObeyingBuilder: 1 of 20 items failed',
      '  2: timeout after 6 s',
      'See all failures: mrun failures b.json',
    ]);
    expect(cursorVisible).toBe(true);
  });

  test('shows builds that run at the same time below each other', async ({ project }) => {
    project.write('a.json', countingBuilder({ items: 20, pause_ms: 20 }, 'a.out'));
    project.write('c.json', countingBuilder({ items: 60, pause_ms: 20 }, 'c.out'));
    const args = ['--parallel-builders', 'a.json', 'c.json'];
    const running = project.startInTerminal(80, 24, args);
    const labels = () => look(running, 80).lines.map((line) => line.trim().split(':')[0]);
    const block = ['CountingBuilder', 'Get', 'Process Items', 'Update Targets'];
    await running.until('both', () => labels().length === 8);
    expect(labels()).toEqual([...block, ...block]);
    expect(look(running, 80).lines.filter(isDone).length).toBeLessThan(6);
    expect((await running.finished).code).toBe(0);
    expect(labels().slice(0, 8)).toEqual([...block, ...block]);
    const { lines, cursorAtStart } = look(running, 80);
    expect(lines.filter(isDone)).toHaveLength(6);
    expect(lines[1]).toContain('20/20');
    expect(lines[5]).toContain('60/60');
    expect(cursorAtStart).toBe(true);
  });

  test('survives that the window changes its size', async ({ project }) => {
    const running = start(project, countingBuilder({ ...STEADY, items: 5000 }), 80, ['-v']);
    let screen = look(running, 80);
    for (const columns of [40, 100, 25, 60]) {
      const drawn = () => look(running, 80).draws;
      const before = drawn();
      running.resize(columns, 24);
      await running.until(`bars in ${columns} columns`, () => {
        screen = look(running, 80);
        return screen.columns === columns && screen.draws > before + 4;
      });
      const bars = screen.lines.filter((line) => line.includes('%|'));
      expect(bars).toHaveLength(3);
    }
    running.type('\x03');
    expect((await running.finished).code).toBe(130);
    screen = look(running, 80);
    expect(screen.lines.filter((line) => line.includes('%|'))).toHaveLength(3);
    expect(screen.lines.filter((line) => line.includes('Starting'))).toHaveLength(1);
  });

  test('names each builder above its bars when there are several', async ({ project }) => {
    const running = start(
      project,
      [countingBuilder({ items: 3 }), countingBuilder({ items: 2 })],
      80,
    );
    await running.finished;
    expect(withoutSummary(look(running, 80)).map((line) => line.trim().split(':')[0])).toEqual([
      'CountingBuilder',
      'Get',
      'Process Items',
      'Update Targets',
      'CountingBuilder',
      'Get',
      'Process Items',
      'Update Targets',
    ]);
  });

  test('counts when the total is unknown', async ({ project }) => {
    const running = start(project, countingBuilder({ items: 7, unknown_total: true }), 80);
    await running.finished;
    expect(withoutSummary(look(running, 80))).toEqual([
      expect.stringMatching(/^ +Get: 7it \[00:00, \d+\.\d\dit\/s]$/),
      expect.stringMatching(/^ Process Items: 7it \[/),
      expect.stringMatching(/^Update Targets: 7it \[/),
    ]);
  });

  test('leaves a clean terminal after Ctrl-C', async ({ project }) => {
    const running = start(project, countingBuilder({ ...STEADY, items: 5000 }), 80);
    await running.until('the bars', () => running.stdout.includes('1%'));
    running.type('\x03');
    const { code } = await running.finished;
    expect(code).toBe(130);
    const screen = look(running, 80);
    expect(screen.lines).toEqual([
      expect.stringMatching(/^Stopping: finishing what is in flight/),
      expect.stringMatching(/ Get: +\d+%\|/),
      expect.stringMatching(/ Process Items: +\d+%\|/),
      expect.stringMatching(/^Update Targets: +\d+%\|/),
      expect.stringMatching(/^builder +status/),
      expect.stringMatching(/^CountingBuilder +cancelled/),
      expect.stringMatching(/^Interrupted: \d+ of 5000 items were built; /),
    ]);
    expect(screen.cursorVisible).toBe(true);
  });

  test('gives the cursor back when it is suspended with Ctrl-Z', async ({ project }) => {
    const running = start(project, countingBuilder(STEADY), 80);
    await running.until('the bars', () => running.stdout.includes('1%'));
    running.type('\x1a');
    await running.until('the cursor', () => look(running, 80).cursorVisible);
    running.continue();
    expect((await running.finished).code).toBe(0);
    const { lines } = look(running, 80);
    expect(lines.filter((line) => line.includes('%|')).map(isDone)).toEqual([
      ...[false, false, false],
      ...[true, true, true],
    ]);
  });

  test('leaves a clean terminal when the builder takes the process down', async ({ project }) => {
    project.write(
      'crash.mjs',
      `import { MemoryStore } from 'maggma';
      import { CountingBuilder } from './counting-builder.mjs';
      const store = new MemoryStore();
      export const __builder__ = new CountingBuilder(store, store, ${JSON.stringify({ items: 1000, pauseMs: 20 })});
      setTimeout(() => { throw new TypeError('out of nowhere'); }, 800);`,
    );
    const running = project.startInTerminal(80, 24, ['crash.mjs']);
    expect((await running.finished).code).toBe(1);
    const screen = look(running, 80);
    expect(screen.cursorVisible).toBe(true);
    expect(screen.lines.filter((line) => line.includes('%|'))).toHaveLength(3);
    expect(screen.lines.join('\n')).toMatch(/^TypeError: out of nowhere$/m);
  });

  test.for([
    ['--no-bars', ['--no-bars'], {}],
    ['TERM=dumb', [], { TERM: 'dumb' }],
  ] as const)('draws no bars with %s', async ([, args, env], { project }) => {
    const running = start(project, countingBuilder({ items: 3 }), 80, args, env);
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(look(running, 80).draws).toBe(0);
    expect(stripVTControlCharacters(stdout)).toMatch(
      /^builder .*\r\nCountingBuilder +succeeded +3 .*\r\n$/,
    );
  });
});
