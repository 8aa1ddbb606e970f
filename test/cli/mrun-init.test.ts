import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, describe, expect } from 'vitest';
import { snippetsOf } from '../docs/snippets.js';
import { run } from '../docs/user-project.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MRUN = path.join(ROOT, 'dist/cli/mrun.js');
const LANGUAGES = ['ts', 'js'] as const;
const FILES = {
  ts: [
    '.gitignore',
    'README.md',
    'change-sample.ts',
    'density-builder.test.ts',
    'density-builder.ts',
    'dump.ts',
    'package.json',
    'samples.json',
    'tsconfig.json',
  ],
  js: [
    '.gitignore',
    'README.md',
    'change-sample.js',
    'density-builder.js',
    'density-builder.test.js',
    'dump.js',
    'package.json',
    'samples.json',
  ],
} as const;

/** A temporary folder, and what is on the path of somebody who works in it. */
class Place {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'mrun-init-')));

  /** Runs `mrun` here. */
  mrun(...args: string[]) {
    return run(process.execPath, [MRUN, ...args], { cwd: this.folder });
  }

  /** Runs a shell script in a folder in which `npm install` was run. */
  sh(script: string, folder = '.') {
    const cwd = path.join(this.folder, folder);
    return run('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd, env: environment() });
  }

  /** Stands in for `npm install`: links this package and those that the project's `package.json` asks for. */
  install(folder = '.') {
    const root = path.join(this.folder, folder);
    const { dependencies, devDependencies = {} } = readJson(path.join(root, 'package.json'));
    const bin = path.join(root, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      const target = name === 'maggma' ? ROOT : path.join(ROOT, 'node_modules', name);
      const link = path.join(root, 'node_modules', name);
      mkdirSync(path.dirname(link), { recursive: true });
      symlinkSync(target, link);
      const { bin: bins = {} } = readJson(path.join(target, 'package.json'));
      const commands = typeof bins === 'string' ? { [name]: bins } : bins;
      for (const [command, file] of Object.entries(commands as Record<string, string>))
        symlinkSync(path.join(target, file), path.join(bin, command));
    }
  }

  read(name: string): string {
    return readFileSync(path.join(this.folder, name), 'utf8');
  }

  write(name: string, text: string): void {
    writeFileSync(path.join(this.folder, name), text);
  }

  list(folder = '.'): string[] {
    return readdirSync(path.join(this.folder, folder)).sort();
  }
}

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** Without what a test run, or npm, hands down to its children. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, NO_COLOR: '1', npm_config_offline: 'true' };
}

const test = base.extend<{ place: Place }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  place: async ({}, use) => {
    const place = new Place();
    await use(place);
    rmSync(place.folder, { recursive: true, force: true });
  },
});

/** The shell blocks of a page. */
const commandsIn = (page: string): string[] =>
  snippetsOf('README.md', page)
    .filter(({ language }) => language === 'sh')
    .map(({ code }) => code);

describe.each(LANGUAGES)('a new project in %s', (language) => {
  const flags = language === 'js' ? ['--js'] : [];

  test('goes into a folder with any name, says what comes next, and does what its README says', async ({
    place,
  }) => {
    const name = 'My Düster builders/Ünit 1';
    const folder = path.join(place.folder, name);
    const made = await place.mrun('init', name, ...flags);
    expect(made.code, made.output).toBe(0);
    expect(made.output).toBe(
      [
        `Made in ${folder}:`,
        ...FILES[language].map((file) => `  ${file}`),
        '',
        'Next:',
        '  cd "My Düster builders/Ünit 1"',
        '  npm install',
        '  npm test',
        '  npm run build',
        '',
      ].join('\n'),
    );
    expect(place.list(name)).toEqual(FILES[language]);
    expect(readJson(path.join(folder, 'package.json'))).toMatchObject({ name: 'unit-1' });
    const readme = place.read(`${name}/README.md`);
    expect(readme).not.toMatch(/\{\{|\}\}/);

    const outputs: string[] = [];
    for (const command of commandsIn(readme)) {
      const [, install, rest = command] = /^(npm install\n)([\s\S]*)$/.exec(command) ?? [];
      if (install !== undefined) place.install(name);
      const { code, output } = await place.sh(rest, name);
      expect(code, `${rest}\n${output}`).toBe(0);
      outputs.push(output);
    }
    const [tests, first, second, changed, ...others] = outputs;
    expect(others).toEqual([]);
    expect(tests).toMatch(/pass 3\n/);
    expect(tests).toMatch(/fail 0\n/);
    expect(first).toContain('3 succeeded, 0 failed, 1 skipped');
    expect(second).toContain('0 succeeded, 0 failed, 0 skipped');
    expect(changed).toMatch(/build +newer +'water'/);
    expect(changed).toContain('1 succeeded, 0 failed, 0 skipped');
    const densities = JSON.parse(place.read(`${name}/densities.json`));
    expect(densities.map(({ name, density }: Record<string, unknown>) => [name, density])).toEqual([
      ['copper', 8.96],
      ['oak', 0.75],
      ['unknown', undefined],
      ['water', 1.5],
    ]);
    expect((await place.sh('npm run build', name)).output).toContain('0 succeeded');
  });

  test('has a test that fails when the builder is wrong', async ({ place }) => {
    await place.mrun('init', ...flags);
    place.install();
    const builder = `density-builder.${language}`;
    const source = place.read(builder);
    const wrong = source
      .replace('mass / volume', 'mass * volume')
      .replace('return null', 'return {}');
    place.write(builder, wrong);
    const { code, output } = await place.sh('npm test');
    expect(output).toMatch(/pass 1\n[\s\S]*fail 2\n/);
    expect(code).toBe(1);
  });
});

test('the TypeScript is strict, and formatted as ours', async ({ place }) => {
  await place.mrun('init');
  place.install();
  const { code, output } = await place.sh(
    'npx tsc --exactOptionalPropertyTypes --noUncheckedIndexedAccess --experimentalDecorators',
  );
  expect(output).toBe('');
  expect(code).toBe(0);
  for (const language of LANGUAGES) {
    if (language === 'js') await place.mrun('init', 'plain', '--js');
    const biome = path.join(ROOT, 'node_modules/.bin/biome');
    const config = `--config-path=${path.join(place.folder, 'biome-config')}`;
    mkdirSync(path.join(place.folder, 'biome-config'), { recursive: true });
    const { formatter, javascript } = readJson(path.join(ROOT, 'biome.json'));
    place.write('biome-config/biome.json', JSON.stringify({ formatter, javascript }));
    const folder = language === 'js' ? 'plain' : '.';
    const checked = await place.sh(`${biome} format ${config} *.${language} *.json`, folder);
    expect(checked.code, checked.output).toBe(0);
  }
});

test.for(['node_modules', 'maggma', '___', 'A'.repeat(250)])(
  'a package in the folder "%s" gets a name that npm allows',
  async (folder, { place }) => {
    await place.mrun('init', folder);
    const { name } = readJson(path.join(place.folder, folder, 'package.json'));
    expect(name).not.toMatch(/^(?:maggma|tsx|node_modules|)$/);
    expect(name).toMatch(/^[a-z0-9][a-z0-9._-]{0,213}$/);
  },
);

describe('what is there already', () => {
  test('is never overwritten, and nothing is written beside it', async ({ place }) => {
    place.write('README.md', 'mine');
    place.write('dump.ts', 'mine, too');
    symlinkSync('nowhere', path.join(place.folder, 'samples.json'));
    const { code, output } = await place.mrun('init');
    expect(output).toBe(
      `mrun: Cannot make a project in ${place.folder}: it has README.md, dump.ts, samples.json already, and nothing is overwritten: name a new folder\n`,
    );
    expect(code).toBe(2);
    expect(place.list()).toEqual(['README.md', 'dump.ts', 'samples.json']);
    expect(place.read('README.md')).toBe('mine');
  });

  test('a second time is refused', async ({ place }) => {
    await place.mrun('init', 'it');
    const { code, output } = await place.mrun('init', 'it');
    expect(output).toContain('density-builder.ts, dump.ts');
    expect(code).toBe(2);
  });

  test('a package.json is left alone, and the commands add to it', async ({ place }) => {
    const own =
      '{ "name": "mine", "scripts": { "test": "echo \\"Error: no test specified\\" && exit 1" } }';
    place.write('package.json', own);
    const { code, output } = await place.mrun('init');
    expect(code, output).toBe(0);
    expect(place.read('package.json')).toBe(own);
    const steps = stepsOf(output);
    expect(steps).toEqual([
      'npm pkg set type=module "scripts.build=tsx dump.ts && mrun -v builder.json" "scripts.test=tsc && node --import tsx --test *.test.ts"',
      'npm install maggma',
      'npm install -D @types/node tsx typescript',
      'npm test',
      'npm run build',
    ]);
    const [settings = '', , , ...rest] = steps;
    expect((await place.sh(settings)).code).toBe(0);
    const manifest = JSON.parse(place.read('package.json'));
    expect(manifest).toMatchObject({ name: 'mine', type: 'module' });
    manifest.dependencies = { maggma: '*', tsx: '*', typescript: '*', '@types/node': '*' };
    place.write('package.json', JSON.stringify(manifest));
    place.install();
    for (const step of rest) {
      const ran = await place.sh(step);
      expect(ran.code, ran.output).toBe(0);
    }
    expect(place.read('densities.json')).toContain('0.75');
  });

  test('scripts of the same names stay, and the project is run without them', async ({ place }) => {
    const scripts = { test: 'vitest', build: 'tsc' };
    const dependencies = { maggma: '*' };
    place.write('package.json', JSON.stringify({ type: 'module', scripts, dependencies }));
    const { output } = await place.mrun('init', '--js');
    const steps = stepsOf(output);
    expect(steps).toEqual([
      'npm install',
      'npm exec -c "node --test"',
      'npm exec -c "node dump.js && mrun -v builder.json"',
    ]);
    place.install();
    for (const step of steps.slice(1)) {
      expect(place.read('README.md')).toContain(step);
      const ran = await place.sh(step);
      expect(ran.code, ran.output).toBe(0);
    }
  });

  test.for([
    ['{ "name": ', /package\.json is not valid: /],
    ['[]', /package\.json is not valid: expected an object/],
    ['null', /package\.json is not valid: expected an object/],
  ] as const)('a package.json that is none is named: %s', async ([text, message], { place }) => {
    mkdirSync(path.join(place.folder, 'it'));
    place.write('it/package.json', text);
    const { code, output } = await place.mrun('init', 'it');
    expect(output).toMatch(message);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
    expect(place.list('it')).toEqual(['package.json']);
  });
});

describe('a folder that cannot be', () => {
  test('a file is in its place', async ({ place }) => {
    place.write('file', 'mine');
    for (const folder of ['file', 'file/in/it']) {
      const { code, output } = await place.mrun('init', folder);
      expect(output).toMatch(/: there is a file in the place of a folder\n$/);
      expect(code).toBe(2);
    }
    expect(place.read('file')).toBe('mine');
  });

  test('it cannot be made', async ({ place }) => {
    const { code, output } = await place.mrun('init', '/proc/no/such');
    expect(output).toMatch(/^mrun: Cannot make a project in \/proc\/no\/such: ENOENT.+\n$/);
    expect(code).toBe(2);
  });

  test('nothing is left where only some of it has room', async ({ place }) => {
    // So long a path that README.md can be there, and longer names cannot.
    const around = Array.from({ length: 19 }, () => 'a'.repeat(200)).join('/');
    const rest = 4095 - '/README.md'.length - place.folder.length - around.length - 2;
    const { code, output } = await place.mrun('init', `${around}/${'b'.repeat(rest)}`);
    expect(output).toMatch(/ENAMETOOLONG/);
    expect(code).toBe(2);
    expect(place.list()).toEqual([]);
  });
});

/** The commands that are said to come next. */
function stepsOf(output: string): string[] {
  const [, steps = ''] = output.split('\nNext:\n');
  return steps
    .trim()
    .split('\n')
    .map((line) => line.trim());
}
