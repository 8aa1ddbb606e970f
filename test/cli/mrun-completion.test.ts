import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { COMMAND_NAMES, OPTIONS, optionsOf } from '../../src/cli/option-table.js';
import type { Project } from './mrun-process.js';
import { test } from './mrun-process.js';

let script: string | undefined;

/** What bash completes the last of the words to. */
async function complete(project: Project, ...words: string[]): Promise<string[]> {
  script ??= (await project.run('completion', 'bash')).stdout;
  const line = words.map((word) => `'${word}'`).join(' ');
  const ask = `${script}
COMP_WORDS=(mrun ${line}); COMP_CWORD=${words.length}
_mrun
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync('bash', ['-c', ask], { cwd: project.folder, encoding: 'utf8' });
  return said
    .split('\n')
    .filter((each) => each !== '')
    .sort();
}

const longOf = (flags: string) => /--[\w-]+/.exec(flags)?.[0] ?? '';

describe('in bash', { concurrent: true }, () => {
  test('commands are completed', async ({ project }) => {
    expect(await complete(project, 'sta')).toEqual(['status']);
    expect(await complete(project, 'help', 'val')).toEqual(['validate']);
    expect(await complete(project, 'completion', '')).toEqual(['bash', 'fish', 'zsh']);
    expect(await complete(project, '')).toEqual(expect.arrayContaining([...COMMAND_NAMES]));
  });

  test('files are completed, also with spaces, and folders', async ({ project }) => {
    project.write('my builder.json', {});
    mkdirSync(path.join(project.folder, 'my folder'));
    expect(await complete(project, 'my')).toEqual(['my builder.json', 'my folder']);
    expect(await complete(project, '-v', 'my')).toEqual(['my builder.json', 'my folder']);
    expect(await complete(project, 'status', 'my')).toEqual(['my builder.json', 'my folder']);
    expect(await complete(project, 'init', 'my')).toEqual(['my folder']);
  });

  test('options are completed, of each command its own', async ({ project }) => {
    expect(await complete(project, '--max')).toEqual(['--max-failures', '--max-worker-memory']);
    expect(await complete(project, 'b.json', '-')).toEqual(
      expect.arrayContaining(optionsOf('run').map((key) => longOf(OPTIONS[key].flags))),
    );
    for (const name of COMMAND_NAMES) {
      const options = optionsOf(name).map((key) => longOf(OPTIONS[key].flags));
      const config = options.length > 0 ? ['--config', '--no-config'] : [];
      expect(await complete(project, name, '--')).toEqual([...options, ...config, '--help'].sort());
    }
  });

  test('values are completed', async ({ project }) => {
    project.write('r.yaml', '');
    expect(await complete(project, '--isolation', '')).toEqual(['process', 'thread']);
    expect(await complete(project, '--log-format', 'j')).toEqual(['json']);
    expect(await complete(project, '-r', 'r')).toEqual(['r.yaml']);
    expect(await complete(project, '-n', '')).toEqual([]);
  });
});

describe('the scripts', { concurrent: true }, () => {
  test('are for the shell that is used, unless another one is named', async ({ project }) => {
    const script = await project.shell('SHELL=/usr/bin/fish $mrun completion').finished;
    expect(script).toEqual(await project.run('completion', 'fish'));
    expect(await project.run('completion', 'zssh')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'mrun: no completion for the shell "zssh": expected one of bash, fish, zsh (did you mean zsh?)\n',
    });
  });

  test.for(['bash', 'zsh', 'fish'])(
    'are right for %s, where it is installed',
    async (shell, { project }) => {
      const { code, stdout, stderr } = await project.run('completion', shell);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const { flags } of Object.values(OPTIONS)) {
        const long = longOf(flags);
        expect(stdout).toContain(shell === 'fish' ? `-l ${long.slice(2)} ` : long);
      }
      const checked = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' });
      const isInstalled = checked.error === undefined;
      expect(isInstalled || shell !== 'bash').toBe(true);
      if (isInstalled) expect(checked).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test('do not depend on the config file', async ({ project }) => {
    project.write('mrun.config.json', '{');
    expect(await project.run('completion', 'bash')).toMatchObject({ code: 0, stderr: '' });
  });
});
