import { describe, expect, test } from 'vitest';
import { ExitCode } from '../../src/cli/exit-code.js';
import { COMMAND_NAMES, OPTIONS, variableOf, wordsOf } from '../../src/cli/option-table.js';
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
    expect(parse('b.json').result).toEqual({ command: 'run', operands: ['b.json'], given: {} });
  });

  test('takes options anywhere', () => {
    const argv = ['-v', 'a.json', '--fail-fast', '--max-failures', '0', '-v', 'b.ts', '--no-bars'];
    expect(parse(...argv).result).toEqual({
      command: 'run',
      operands: ['a.json', 'b.ts'],
      given: { verbose: 2, bars: false, failFast: true, maxFailures: 0 },
    });
    const workers = ['-n', '4', '--isolation', 'process', '--max-worker-memory', '512'];
    const others = ['--retries', '2', '--parallel-builders', '-r', 'r.json', '--log-format=json'];
    expect(parse('b.json', ...workers, ...others).result).toMatchObject({
      operands: ['b.json'],
      given: {
        numWorkers: 4,
        isolation: 'process',
        maxWorkerMemory: 512,
        retries: 2,
        parallelBuilders: true,
        reporting: 'r.json',
        logFormat: 'json',
      },
    });
    const worker = ['-u', 'tcp://h:1', '--allow', 'a', '--keep-alive', '--allow', 'b', '-N', '50'];
    expect(parse(...worker, '--secret-file', 's.key', '--lease', '30').result).toMatchObject({
      operands: [],
      given: {
        url: 'tcp://h:1',
        allow: ['a', 'b'],
        keepAlive: true,
        numChunks: 50,
        secretFile: 's.key',
        lease: 30,
      },
    });
    expect(parse('-vv', 'b.json').result).toMatchObject({ given: { verbose: 2 } });
  });

  test('takes every option back', () => {
    for (const key of Object.keys(OPTIONS)) {
      const { flags, commands } = OPTIONS[key as keyof typeof OPTIONS];
      const command = commands.some((name) => name === 'run') ? [] : [commands[0]];
      const opposite = flags.startsWith('--no-') ? `--${wordsOf(key)}` : `--no-${wordsOf(key)}`;
      const value = flags.startsWith('--no-');
      expect(parse(...command, opposite).result).toMatchObject({ given: { [key]: value } });
    }
    expect(parse('-v', '--no-verbose', '-v').result).toMatchObject({ given: { verbose: 1 } });
  });

  test('calls an option the same everywhere', () => {
    for (const [key, { flags }] of Object.entries(OPTIONS))
      expect(flags).toMatch(new RegExp(`--(?:no-)?${wordsOf(key)}(?: <[a-z]+>)?$`));
    expect(variableOf('maxWorkerMemory')).toBe('MAGGMA_MAX_WORKER_MEMORY');
  });

  test('knows commands, by name, with their own options', () => {
    expect(parse('status', 'r.json', '--json', '--all').result).toEqual({
      command: 'status',
      operands: ['r.json'],
      given: { json: true, all: true },
    });
    expect(parse('failures', '--limit', '5', 'b.json').result).toMatchObject({
      command: 'failures',
      given: { limit: 5 },
    });
    expect(parse('init', '--js', 'here').result).toMatchObject({
      command: 'init',
      operands: ['here'],
      given: { js: true },
    });
    expect(parse('validate', '--connect', 'b.json', 'c.json').result).toMatchObject({
      command: 'validate',
      operands: ['b.json', 'c.json'],
      given: { connect: true },
    });
    expect(parse('show', '-n', '3', 'b.json').result).toMatchObject({
      command: 'show',
      given: { numWorkers: 3 },
    });
    expect(parse('completion', 'bash').result).toMatchObject({
      command: 'completion',
      config: false,
    });
  });

  test('takes what is named like a command as a file when it does not come first, or has a path', () => {
    expect(parse('b.json', 'status').result).toMatchObject({ operands: ['b.json', 'status'] });
    expect(parse('./status').result).toMatchObject({ command: 'run', operands: ['./status'] });
  });

  test('names the config file, or none', () => {
    expect(parse('--config', 'c.yaml').result).toMatchObject({ config: 'c.yaml' });
    expect(parse('show', '--no-config').result).toMatchObject({ config: false });
  });

  test('prints help and version on stdout', () => {
    const help = parse('--help');
    expect(help).toMatchObject({ result: ExitCode.Ok, err: '' });
    for (const { flags, commands } of Object.values(OPTIONS))
      if (commands.some((name) => name === 'run')) expect(help.out).toContain(`  ${flags} `);
    for (const name of COMMAND_NAMES) expect(help.out).toMatch(new RegExp(`^  ${name} `, 'm'));
    for (const line of help.out.split('\n')) expect(line.length).toBeLessThan(82);
    expect(help.out).not.toContain('--no-fail-fast');
    expect(parse('--version')).toMatchObject({
      result: ExitCode.Ok,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/),
    });
    expect(parse('help')).toEqual(help);
  });

  test.each(COMMAND_NAMES)('prints the help of %s', (name) => {
    const help = parse(name, '--help');
    expect(help).toMatchObject({ result: ExitCode.Ok, err: '' });
    expect(help.out).toContain(`Usage: mrun ${name} `);
    for (const { flags, commands } of Object.values(OPTIONS))
      expect(help.out.includes(`  ${flags} `)).toBe(commands.some((each) => each === name));
    expect(parse('help', name)).toEqual(help);
  });

  test.each([
    [['--verbos', 'b.json'], /^mrun: unknown option '--verbos' \(Did you mean --verbose\?\)\n$/],
    [['--no_bars', 'b.json'], /^mrun: unknown option '--no_bars' \(Did you mean --no-bars\?\)\n$/],
    [['--isolation', 'vm', 'b.json'], /^mrun: .*--isolation <kind>.* 'vm' .*thread, process\.\n$/],
    [['--log-format', 'xml', 'b.json'], /^mrun: .*--log-format <format>.* 'xml' .*text, json\.\n$/],
    [['--max-worker-memory', '0', 'b.json'], /^mrun: .*--max-worker-memory <mb>.* at least 1\.\n$/],
    [['--retries', '-1', 'b.json'], /^mrun: .*--retries <n>.* at least 0\.\n$/],
    [['--retries', '9007199254740991', 'b.json'], /^mrun: .*--retries <n>.*\n$/],
    [['--max-failures', '-1', 'b.json'], /^mrun: .*--max-failures.*\n$/],
    [['--max-failures', '1.5', 'b.json'], /^mrun: .*--max-failures.* at least 0\.\n$/],
    [['b.json', '--max-failures'], /^mrun: .*--max-failures <n>' argument missing\n$/],
    [['b.json', '-r', ''], /^mrun: .*--reporting <file>.* Expected the path of a file\.\n$/],
    [['-N', '1000001', 'b.json'], /^mrun: .*--num-chunks <n>.* from 1 to 1000000\.\n$/],
    [['--allow', '', 'b.json'], /^mrun: .*--allow <folder>.* Expected a list of folders\.\n$/],
    [['status', '-u', 'tcp://localhost:1'], /^mrun: unknown option '-u'\n$/],
    [['status', '--jso'], /^mrun: unknown option '--jso' \(Did you mean --json\?\)\n$/],
    [['status', '-n', '2'], /^mrun: unknown option '-n'\n$/],
    [['status', 'a.json', 'b.json'], /^mrun: too many arguments for 'status'. Expected 1 .*\n$/],
    [['-v', 'status', 'r.json'], /^mrun: the options of a command stand after it \(.* --help\)\n$/],
    [['help', 'statsu'], /^mrun: there is no command 'statsu' \(did you mean status\?\)\n$/],
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
