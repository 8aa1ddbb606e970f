import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { CONFIG_FILES } from '../../src/cli/config-file.js';
import type { Project } from './mrun-process.js';
import { countingBuilder, MEMORY, test } from './mrun-process.js';

/** The options of a run with what `mrun show` says of them, `value (origin)`. */
async function shown(project: Project, args = '', variables = ''): Promise<Record<string, string>> {
  project.write('b.json', countingBuilder());
  const line = `${variables} $mrun show --json ${args} b.json`;
  const { code, stdout, stderr } = await project.shell(line).finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { options } = JSON.parse(stdout) as {
    options: Record<string, { value: unknown; origin: string }>;
  };
  return Object.fromEntries(
    Object.entries(options).map(([key, { value, origin }]) => [key, `${value} (${origin})`]),
  );
}

const CONFIG = 'mrun.config.json';

describe('an option comes', { concurrent: true }, () => {
  test('from nowhere', async ({ project }) => {
    expect(await shown(project)).toEqual({
      verbose: '0 (default)',
      numWorkers: '1 (default)',
      isolation: 'thread (default)',
      maxWorkerMemory: 'null (default)',
      parallelBuilders: 'false (default)',
      failFast: 'false (default)',
      maxFailures: 'null (default)',
      retries: '0 (default)',
      fullRefresh: 'false (default)',
      steal: 'false (default)',
      plan: 'false (default)',
      reporting: 'null (default)',
      logFormat: 'text (default)',
      bars: 'true (default)',
      json: 'true (command line)',
      url: 'null (default)',
      numChunks: 'null (default)',
      secretFile: 'null (default)',
      lease: '15 (default)',
      workerTimeout: 'null (default)',
      chunkTimeout: 'null (default)',
      retryDead: 'false (default)',
      keepAlive: 'false (default)',
      managerTimeout: 'null (default)',
      allow: 'null (default)',
    });
  });

  test('from the command line, else a variable, else the config file', async ({ project }) => {
    project.write(CONFIG, { numWorkers: 2, retries: 3, verbose: 1, bars: false, failFast: true });
    const variables = 'MAGGMA_NUM_WORKERS=3 MAGGMA_RETRIES=4 MAGGMA_MAX_FAILURES=';
    expect(await shown(project, '-n 4', variables)).toMatchObject({
      numWorkers: '4 (command line)',
      retries: '4 (MAGGMA_RETRIES)',
      verbose: `1 (${CONFIG})`,
      bars: `false (${CONFIG})`,
      failFast: `true (${CONFIG})`,
      maxFailures: 'null (default)',
    });
  });

  test('with folders that are relative to the config file, or parted as in PATH', async ({
    project,
  }) => {
    mkdirSync(path.join(project.folder, 'conf'));
    project.write('conf/c.json', { allow: ['a', '/b'], secretFile: 's.key' });
    expect(await shown(project, '--config conf/c.json')).toMatchObject({
      allow: 'conf/a,/b (conf/c.json)',
      secretFile: 'conf/s.key (conf/c.json)',
    });
    const variables = 'MAGGMA_ALLOW=a:b MAGGMA_SECRET_FILE=t.key';
    expect(await shown(project, '', variables)).toMatchObject({
      allow: 'a,b (MAGGMA_ALLOW)',
      secretFile: 't.key (MAGGMA_SECRET_FILE)',
    });
  });

  test('from nowhere again when it is taken back', async ({ project }) => {
    project.write(CONFIG, { retries: 3, verbose: 2, bars: false, failFast: true });
    const args = '--no-retries --no-verbose --bars --no-fail-fast';
    expect(await shown(project, args)).toMatchObject({
      retries: '0 (command line)',
      verbose: '0 (command line)',
      bars: 'true (command line)',
      failFast: 'false (command line)',
    });
  });

  test('from variables that are words', async ({ project }) => {
    const variables = 'MAGGMA_BARS=off MAGGMA_FAIL_FAST=1 MAGGMA_PLAN=False MAGGMA_VERBOSE=2';
    expect(await shown(project, '', variables)).toMatchObject({
      bars: 'false (MAGGMA_BARS)',
      failFast: 'true (MAGGMA_FAIL_FAST)',
      plan: 'false (MAGGMA_PLAN)',
      verbose: '2 (MAGGMA_VERBOSE)',
    });
  });
});

describe('the config file', { concurrent: true }, () => {
  for (const name of ['mrun.config.yaml', 'mrun.config.yml'])
    test(`may be ${name}`, async ({ project }) => {
      project.write(name, '# ours\nnumWorkers: 3\nlogFormat: json\n');
      expect(await shown(project)).toMatchObject({
        numWorkers: `3 (${name})`,
        logFormat: `json (${name})`,
      });
    });

  test('may be a key of package.json', async ({ project }) => {
    project.write('package.json', { name: 'x', mrun: { retries: 1 } });
    expect(await shown(project)).toMatchObject({ retries: '1 (package.json)' });
  });

  test('may be empty YAML', async ({ project }) => {
    project.write('mrun.config.yaml', '# nothing yet\n');
    expect(await shown(project)).toMatchObject({ retries: '0 (default)' });
  });

  test('lies in the nearest folder above that has one', async ({ project }) => {
    mkdirSync(path.join(project.folder, 'a/b'), { recursive: true });
    project.write(CONFIG, { retries: 1 });
    project.write('a/package.json', { name: 'a' });
    project.write('a/b/b.json', { ...countingBuilder(), '@module': '../../counting-builder.mjs' });
    const { stdout } = await project.shell('cd a/b && $mrun show b.json').finished;
    expect(stdout).toMatch(/^retries +1 +\.\.\/\.\.\/mrun\.config\.json$/m);
  });

  test('wins over others in its folder in a fixed order, and says so', async ({ project }) => {
    project.write('b.json', countingBuilder());
    project.write('package.json', { mrun: { retries: 4 } });
    project.write('mrun.config.yml', 'retries: 3');
    project.write('mrun.config.yaml', 'retries: 2');
    project.write('mrun.config.json', { retries: 1 });
    for (const [i, winner] of CONFIG_FILES.entries()) {
      const { stdout, stderr } = await project.run('show', 'b.json');
      expect(stdout).toMatch(new RegExp(`^retries +${i + 1} +${winner}$`, 'm'));
      const ignored = CONFIG_FILES.slice(i + 1);
      expect(stderr).toBe(
        ignored
          .map((each) => `mrun: ${each} does not count, because there is ${winner}\n`)
          .join(''),
      );
      rmSync(path.join(project.folder, winner));
    }
  });

  test('is warned of in the log of a run, when there are two', async ({ project }) => {
    project.write('b.json', countingBuilder());
    project.write('mrun.config.json', {});
    project.write('mrun.config.yaml', 'retries: 1');
    const says = 'mrun.config.yaml does not count, because there is mrun.config.json';
    expect((await project.run('b.json')).stderr).toMatch(
      new RegExp(`^[-0-9 :,]+ - mrun - WARNING - ${says}\\n$`),
    );
    const json = await project.run('--log-format', 'json', 'b.json');
    expect(JSON.parse(json.stderr)).toMatchObject({ level: 'warning', message: says });
  });

  test('does not warn of a package.json without the key', async ({ project }) => {
    project.write('package.json', { name: 'x' });
    project.write(CONFIG, { retries: 1 });
    expect(await shown(project)).toMatchObject({ retries: `1 (${CONFIG})` });
  });

  test('can be named, or done without', async ({ project }) => {
    project.write(CONFIG, { retries: 1 });
    project.write('nightly.yaml', 'retries: 5');
    expect(await shown(project, '--config nightly.yaml')).toMatchObject({
      retries: '5 (nightly.yaml)',
    });
    expect(await shown(project, '', 'MAGGMA_CONFIG=nightly.yaml')).toMatchObject({
      retries: '5 (nightly.yaml)',
    });
    expect(await shown(project, '--no-config', 'MAGGMA_CONFIG=nightly.yaml')).toMatchObject({
      retries: '0 (default)',
    });
  });

  test('names files relative to itself', async ({ project }) => {
    mkdirSync(path.join(project.folder, 'etc'));
    project.write('etc/r.json', MEMORY);
    project.write('etc/mrun.json', { reporting: 'r.json' });
    expect(await shown(project, '--config etc/mrun.json')).toMatchObject({
      reporting: 'etc/r.json (etc/mrun.json)',
    });
    expect(await shown(project, '', 'MAGGMA_REPORTING=x.json')).toMatchObject({
      reporting: 'x.json (MAGGMA_REPORTING)',
    });
  });

  test('names the builders of the project', async ({ project }) => {
    project.write('b.json', countingBuilder());
    project.write(CONFIG, { builders: ['b.json'], verbose: 1 });
    const { code, stderr } = await project.run();
    expect(code).toBe(0);
    expect(stderr).toContain('INFO - CountingBuilder: ');
    const other = await project.run('gone.json');
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('gone.json') });
  });
});

describe('mrun refuses, in one line and with code 2,', { concurrent: true }, () => {
  test.for([
    [
      'MAGGMA_NUM_WORKERS=x',
      "MAGGMA_NUM_WORKERS: expected a whole number from 1 to 1024, it is 'x'",
    ],
    ['MAGGMA_BARS=maybe', "MAGGMA_BARS: expected true or false, it is 'maybe'"],
    ['MAGGMA_ISOLATION=vm', "MAGGMA_ISOLATION: expected one of thread, process, it is 'vm'"],
    ['MAGGMA_CONFIG=gone.json', 'gone.json: there is no such file'],
  ] as const)('%s', async ([variable, says], { project }) => {
    project.write('b.json', countingBuilder());
    const ran = await project.shell(`${variable} $mrun b.json`).finished;
    expect(ran).toEqual({ code: 2, stdout: '', stderr: `mrun: ${says}\n` });
  });

  test.for([
    ['an unknown key', { retrys: 1 }, 'there is no option "retrys" (did you mean retries?)'],
    [
      'a key by its flag',
      { 'num-workers': 1 },
      'there is no option "num-workers" (did you mean numWorkers?)',
    ],
    ['a key like nothing', { zzz: 1 }, 'there is no option "zzz"'],
    [
      'a text for a number',
      { retries: '1' },
      "retries: expected a whole number of at least 0, it is the string '1'",
    ],
    [
      'a text for a list',
      { allow: 'a' },
      "allow: expected a list of folders, it is the string 'a'",
    ],
    ['a number for a switch', { bars: 0 }, 'bars: expected true or false, it is the number 0'],
    [
      'a builder that is no list',
      { builders: 'b.json' },
      "builders: expected a list of files, it is the string 'b.json'",
    ],
    ['a list', [], 'expected options by name, it holds an empty list'],
    ['no JSON', '{"a": 1,}', /not valid JSON.*line 1/],
  ] as const)('a config file with %s', async ([, content, says], { project }) => {
    project.write(CONFIG, content);
    project.write('b.json', countingBuilder());
    const { code, stdout, stderr } = await project.run('b.json');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    if (typeof says === 'string') expect(stderr).toBe(`mrun: ${CONFIG}: ${says}\n`);
    else expect(stderr).toMatch(says);
    expect(project.exists('target.json')).toBe(false);
  });

  test.for([
    ['conf.toml', 'conf.toml: expected a name that ends in .json, .yaml or .yml'],
    ['gone.yaml', 'gone.yaml: there is no such file'],
    ['package.json', 'package.json: expected options in the key "mrun"'],
  ] as const)('--config %s', async ([file, says], { project }) => {
    project.write('package.json', {});
    const ran = await project.run('--config', file, 'b.json');
    expect(ran).toEqual({ code: 2, stdout: '', stderr: `mrun: ${says}\n` });
  });
});
