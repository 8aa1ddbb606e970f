import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { countingBuilder, test } from './mrun-process.js';

const store = (paths: string, others = {}) => ({
  '@module': 'maggma.stores.mongolike',
  '@class': 'JSONStore',
  '@version': null,
  paths,
  key: 'k',
  ...others,
});

const copyBuilder = (options = {}) => ({
  '@module': 'maggma.builders.map_builder',
  '@class': 'CopyBuilder',
  '@version': null,
  source: store('source.json'),
  target: store('target.json', { read_only: false }),
  ...options,
});

const [OLD, NEW] = ['2026-01-01T00:00:00Z', '2026-02-02T00:00:00Z'];

const SOURCE = [
  { k: 'failed', last_updated: OLD },
  { k: 'new', last_updated: OLD },
  { k: 'newer', last_updated: NEW },
  { k: 'same', last_updated: OLD },
];
const TARGET = [
  { k: 'failed', last_updated: OLD, state: 'failed', error: 'no', _bt: { $date: OLD } },
  { k: 'newer', last_updated: OLD },
  { k: 'orphan', last_updated: OLD },
  { k: 'same', last_updated: OLD },
];

describe('mrun --plan', () => {
  test('prints what would be done and why, and changes nothing', async ({ project }) => {
    project.write('source.json', SOURCE);
    project.write('target.json', TARGET);
    const before = readFileSync(path.join(project.folder, 'target.json'), 'utf8');
    const { code, stdout, stderr } = await project.run(
      '--plan',
      project.write('b.json', copyBuilder({ delete_orphans: true })),
    );
    expect(stderr).toBe('');
    expect(stdout).toBe(
      [
        "leave   failed     'failed'",
        "build   new        'new'",
        "build   newer      'newer'",
        "delete  orphan     'orphan'",
        'CopyBuilder: 2 to build (1 new, 1 newer), 1 to delete (1 orphan), 1 left alone (1 failed)',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
    expect(readFileSync(path.join(project.folder, 'target.json'), 'utf8')).toBe(before);
  });

  test('prints objects for other programs', async ({ project }) => {
    project.write('source.json', SOURCE);
    project.write('target.json', TARGET);
    const file = project.write('b.json', copyBuilder({ retry_failed: true }));
    const { stdout } = await project.run('--plan', '--json', file);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toEqual({
      builder: 'CopyBuilder',
      action: 'build',
      reason: 'failed',
      key: 'failed',
    });
    expect(lines.at(-1)).toEqual({
      builder: 'CopyBuilder',
      counts: { 'build failed': 1, 'build new': 1, 'build newer': 1, 'leave orphan': 1 },
    });
  });

  test('says so when everything is up to date', async ({ project }) => {
    project.write('source.json', [SOURCE[3]]);
    project.write('target.json', [TARGET[3]]);
    const { stdout } = await project.run('--plan', project.write('b.json', copyBuilder()));
    expect(stdout).toBe('CopyBuilder: everything is up to date\n');
  });

  test('is refused for a builder that cannot tell', async ({ project }) => {
    const { code, stderr } = await project.run(
      '--plan',
      project.write('b.json', countingBuilder()),
    );
    expect(stderr).toMatch(/cannot tell its plan: implement plan\(\)/);
    expect(code).toBe(2);
  });

  test('fails for a store that cannot be read', async ({ project }) => {
    project.write('source.json', 'no json');
    const { code } = await project.run('--plan', project.write('b.json', copyBuilder()));
    expect(code).toBe(1);
  });

  test('is what --json is for', async ({ project }) => {
    const { code, stderr } = await project.run('--json', project.write('b.json', copyBuilder()));
    expect([code, stderr]).toEqual([2, 'mrun: --json is for --plan\n']);
  });
});

test('--full-refresh builds what is up to date, too', async ({ project }) => {
  project.write('source.json', SOURCE);
  project.write('target.json', []);
  const file = project.write('b.json', copyBuilder());
  await project.run(file);
  const again = await project.run('-v', file);
  expect(again.stderr).toMatch(/CopyBuilder: 0 succeeded/);
  const refreshed = await project.run('-v', '--full-refresh', file);
  expect(refreshed.stderr).toMatch(/CopyBuilder: 4 succeeded/);
});
