import { describe, expect, test } from 'vitest';
import { ExitCode } from '../../src/cli/exit-code.js';
import { parseArguments } from '../../src/cli/options.js';

function parse(...argv: string[]) {
  const said = { out: '', err: '' };
  const result = parseArguments(argv, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { result, ...said };
}

describe('the command line', () => {
  test('has no defaults of its own', () => {
    expect(parse('b.json').result).toEqual({ files: ['b.json'], verbosity: 0 });
  });

  test('takes options anywhere', () => {
    const argv = ['-v', 'a.json', '--fail-fast', '--max-failures', '0', '-v', 'b.ts', '--no-bars'];
    expect(parse(...argv).result).toEqual({
      files: ['a.json', 'b.ts'],
      verbosity: 2,
      noBars: true,
      failFast: true,
      maxFailures: 0,
    });
    const workers = ['-n', '4', '--isolation', 'process', '--max-worker-memory', '512'];
    expect(parse('b.json', ...workers, '--retries', '2', '--parallel-builders').result).toEqual({
      files: ['b.json'],
      verbosity: 0,
      numWorkers: 4,
      isolation: 'process',
      maxWorkerMemoryMb: 512,
      retries: 2,
      parallelBuilders: true,
    });
    expect(parse('-vv', 'b.json').result).toMatchObject({ verbosity: 2 });
  });

  test('prints help and version on stdout', () => {
    const help = parse('--help');
    expect(help).toMatchObject({ result: ExitCode.Ok, err: '' });
    for (const option of [
      '--verbose',
      '--num-workers',
      '--isolation',
      '--max-worker-memory',
      '--parallel-builders',
      '--fail-fast',
      '--max-failures',
      '--retries',
      '--no-bars',
    ])
      expect(help.out).toContain(option);
    for (const line of help.out.split('\n')) expect(line.length).toBeLessThan(82);
    expect(parse('--version')).toMatchObject({
      result: ExitCode.Ok,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/),
    });
  });

  test.each([
    [[], /^mrun: no builder files given .*--help\)\n$/],
    [['--verbos', 'b.json'], /^mrun: unknown option '--verbos' \(Did you mean --verbose\?\)\n$/],
    [['--no_bars', 'b.json'], /^mrun: unknown option '--no_bars' \(Did you mean --no-bars\?\)\n$/],
    [['--isolation', 'vm', 'b.json'], /^mrun: .*--isolation <kind>.* 'vm' .*thread, process\.\n$/],
    [['--max-worker-memory', '0', 'b.json'], /^mrun: .*--max-worker-memory <mb>.* at least 1\.\n$/],
    [['--retries', '-1', 'b.json'], /^mrun: .*--retries <n>.* at least 0\.\n$/],
    [['--retries', '9007199254740991', 'b.json'], /^mrun: .*--retries <n>.*\n$/],
    [['--max-failures', '-1', 'b.json'], /^mrun: .*--max-failures.*\n$/],
    [['--max-failures', '1.5', 'b.json'], /^mrun: .*--max-failures.* at least 0\.\n$/],
    [['b.json', '--max-failures'], /^mrun: .*--max-failures <n>' argument missing\n$/],
    [['-u', 'tcp://localhost', 'b.json'], /^mrun: unknown option '-u'\n$/],
  ])('refuses %j in one line', (argv, message) => {
    const { result, out, err } = parse(...argv);
    expect(result).toBe(ExitCode.Usage);
    expect(err).toMatch(message);
    expect(out).toBe('');
  });

  test.each(['0', '-2', '1.5', 'x', '1025', '', '1e2'])('refuses %j workers', (n) => {
    const { result, err } = parse('-n', n, 'b.json');
    expect(result).toBe(ExitCode.Usage);
    expect(err).toBe(
      `mrun: option '-n, --num-workers <n>' argument '${n}' is invalid. Expected a whole number from 1 to 1024.\n`,
    );
  });
});
