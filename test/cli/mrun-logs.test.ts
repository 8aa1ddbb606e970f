import { describe, expect } from 'vitest';
import type { Finished } from './mrun-process.js';
import { countingBuilder, test } from './mrun-process.js';
import { writeOrders } from './orders.js';

type Line = Readonly<Record<string, unknown>>;

/** What was logged as JSON; there must be nothing else. */
function linesOf({ stderr }: Finished): Line[] {
  expect(stderr).toMatch(/^$|\n$/);
  return stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const fields: Line = JSON.parse(line);
      expect(Object.keys(fields).slice(0, 4)).toEqual(['time', 'level', 'logger', 'message']);
      expect(new Date(fields['time'] as string).toISOString()).toBe(fields['time']);
      return fields;
    });
}

const briefly = (lines: readonly Line[]) =>
  lines.map(({ level, logger, message }) => `${logger} ${level}: ${message}`);

describe('mrun --log-format json', { concurrent: true }, () => {
  test('logs one object per line, and the counts of each build', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 20, chunk_size: 10 }));
    const ran = await project.run('-v', '--log-format', 'json', 'b.json');
    const lines = linesOf(ran);
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 0, stdout: '' });
    expect(briefly(lines)).toEqual([
      'SerialProcessor info: Starting CountingBuilder',
      'SerialProcessor info: Processing batch of 10 items',
      'SerialProcessor info: Processing batch of 10 items',
      'SerialProcessor info: Ended CountingBuilder: succeeded, 20 items processed',
      expect.stringMatching(/^mrun info: CountingBuilder: 20 succeeded, 0 failed, 0 skipped in /),
    ]);
    expect(lines.at(-1)).toMatchObject({
      builder: 'CountingBuilder',
      buildId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'succeeded',
      total: 20,
      processed: 20,
      succeeded: 20,
      failed: 0,
      skipped: 0,
      invalid: 0,
      durationMs: expect.any(Number),
      stageMs: { get: expect.any(Number) },
    });
  });

  test('says nothing without -v when all is well', async ({ project }) => {
    project.write('b.json', countingBuilder());
    expect(await project.run('--log-format', 'json', 'b.json')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test.for([[[]], [['-n', '2']]] as const)(
    'says without -v what failed, with keys and counts: %j',
    async ([args], { project }) => {
      const file = writeOrders(project, [null, 'throw', 'warn', 'throw']);
      const ran = await project.run(...args, '--log-format', 'json', file);
      expect(ran.code).toBe(3);
      const lines = linesOf(ran);
      const failures = lines.filter(({ key }) => key !== undefined);
      expect(failures.map(({ key }) => key).sort()).toEqual([1, 3]);
      for (const { level, builder, cause, attempts, stack } of failures)
        expect([level, builder, cause, attempts, stack]).toEqual([
          ...['error', 'ObeyingBuilder', 'error', 1],
          undefined,
        ]);
      expect(briefly(lines)).toContain('ObeyingBuilder warning: 2 looks odd');
      expect(lines.at(-1)).toMatchObject({
        level: 'error',
        logger: 'mrun',
        failed: 2,
        succeeded: 2,
      });
    },
  );

  test('has stacks with -vv', async ({ project }) => {
    const file = writeOrders(project, ['throw']);
    const lines = linesOf(await project.run('-vv', '--log-format', 'json', file));
    expect(lines.find(({ key }) => key === 0)?.['stack']).toMatch(/^RangeError: .*\n {4}at /);
  });

  test('has the errors of builds and of files as objects, too', async ({ project }) => {
    const source = {
      '@module': 'maggma.stores.mongolike',
      '@class': 'JSONStore',
      '@version': null,
      paths: 'no-such-folder/source.json',
    };
    project.write('lost.json', { ...countingBuilder(), source });
    const lost = await project.run('--log-format', 'json', 'lost.json');
    expect(lost.code).toBe(1);
    expect(linesOf(lost).at(-1)).toMatchObject({
      level: 'error',
      status: 'failed',
      error: { code: 'STORE_CONNECTION', message: expect.stringContaining('no-such-folder') },
    });
    const missing = await project.run('--log-format', 'json', 'missing.json');
    expect(missing.code).toBe(2);
    expect(linesOf(missing)).toMatchObject([
      {
        level: 'error',
        logger: 'mrun',
        message: 'missing.json: there is no such file',
        code: 'FILE_FORMAT',
      },
    ]);
  });

  test.for([
    [['--log-format', 'json', '--no-such'], /unknown option '--no-such'/],
    [['--log-format=json', '-n', '0', 'b.json'], /Expected a whole number/],
    [['--log-format', 'json', '-N', '3', 'b.json'], /^-N needs --url/],
    [['--log-format', 'json', '--config', 'none.json', 'b.json'], /there is no such file/],
    [['--log-format', 'json'], /^Usage: mrun/],
  ] as const)(
    'has what is wrong with the command line as an object: %j',
    async ([args, message], { project }) => {
      const ran = await project.run(...args);
      expect(ran.code).toBe(2);
      expect(linesOf(ran)).toMatchObject([
        { level: 'error', logger: 'mrun', message: expect.stringMatching(message) },
      ]);
    },
  );

  test('has it so, too, when a variable or the config asks for JSON', async ({ project }) => {
    project.write('mrun.config.json', { logFormat: 'json' });
    for (const [command, message] of [
      ['$mrun -N 3 b.json', /^-N needs --url/],
      ['MAGGMA_LOG_FORMAT=json $mrun --no-such', /unknown option/],
    ] as const) {
      const ran = await project.shell(command).finished;
      expect(ran.code).toBe(2);
      expect(linesOf(ran)).toMatchObject([
        { level: 'error', message: expect.stringMatching(message) },
      ]);
    }
  });

  test('says as objects that it is stopping', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 5000, pause_ms: 20, say: 'item' }));
    const running = project.start('--log-format', 'json', 'b.json');
    await running.until('an item', () => running.stdout.includes('item 1'));
    running.kill('SIGINT');
    const ran = await running.finished;
    expect(ran.code).toBe(130);
    const lines = linesOf(ran);
    expect(briefly(lines)[0]).toMatch(/^mrun info: Stopping: finishing what is in flight/);
    expect(lines.at(-1)).toMatchObject({ level: 'warning', status: 'cancelled', total: 5000 });
  });

  test('has as objects what Node warns of', async ({ project }) => {
    project.write(
      'b.mjs',
      `import { CopyBuilder, MemoryStore } from 'maggma';
      process.emitWarning('look out', 'OddWarning');
      export default new CopyBuilder(new MemoryStore(), new MemoryStore());`,
    );
    const lines = linesOf(await project.run('--log-format', 'json', 'b.mjs'));
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warning', message: 'look out', name: 'OddWarning' }),
    );
  });

  test('shows neither bars nor colours nor a table on a terminal', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 20, pause_ms: 20 }));
    const args = ['-v', '--log-format', 'json', 'b.json'];
    const running = project.startInTerminal(80, 24, args, { FORCE_COLOR: '1' });
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    const lines = linesOf({ code, stdout: '', stderr: stdout.replaceAll('\r\n', '\n') });
    expect(lines.at(-1)).toMatchObject({ succeeded: 20 });
  });
});

describe('mrun off the terminal', { concurrent: true }, () => {
  test('has colours only when they are forced', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 2, fail_every: 2 }));
    const plain = await project.shell('$mrun -v b.json').finished;
    expect(plain.stderr).not.toContain('\x1b');
    const forced = await project.shell('FORCE_COLOR=1 $mrun -v b.json').finished;
    expect(forced.stderr).toContain('\x1b[31mERROR\x1b[39m');
    const refused = await project.shell('FORCE_COLOR=1 $mrun nothing.json').finished;
    expect(refused.stderr).toContain('\x1b[31mmrun:\x1b[39m nothing.json');
  });

  test('does not mind that its stderr is closed', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 200, chunk_size: 1, fail_every: 7 }));
    const line = '$mrun -v b.json 2>&-; echo "code $?"';
    expect((await project.shell(line).finished).stdout).toBe('code 3\n');
    const early = '{ $mrun -v b.json 2>&1 >/dev/null; echo "code $?" >code; } | head -1; cat code';
    expect((await project.shell(early).finished).stdout).toMatch(/Starting.*\ncode 3\n$/);
    expect(project.count('target.json')).toBe(171);
  });
});
