import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const folder = mkdtempSync(path.join(tmpdir(), 'maggma-optional-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OPTIONAL = Object.keys(manifest.peerDependenciesMeta ?? {});

/** The packages of which some module is loaded by a program: imported, or required by what is imported. */
function packagesLoadedBy(program: string): Set<string> {
  const log = path.join(folder, `${Math.random()}.log`);
  const script = `
    import { createRequire, register } from 'node:module';
    import { appendFileSync } from 'node:fs';
    register(${JSON.stringify(new URL('recording-hooks.mjs', import.meta.url).href)}, { data: ${JSON.stringify(log)} });
    ${program}
    const required = Object.keys(createRequire('/').cache);
    appendFileSync(${JSON.stringify(log)}, required.join('\\n'));
  `;
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
  const packages = readFileSync(log, 'utf8').matchAll(
    /\/node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//g,
  );
  return new Set(Array.from(packages, ([, name = '']) => name));
}

const importing = (file: string) => `await import(${JSON.stringify(new URL(file, root).href)});`;

describe('importing the package', () => {
  const loaded = packagesLoadedBy(importing('dist/index.js'));

  test('loads what it is built on', () => {
    expect(loaded).toContain('bson');
    expect(loaded).toContain('class-transformer');
  });

  test('does not load the driver of MongoDB', () => {
    expect(loaded).not.toContain('mongodb');
  });

  test('loads no optional package', () => {
    expect(OPTIONAL).toContain('tsx');
    for (const name of OPTIONAL) expect(loaded).not.toContain(name);
  });

  test('loads nothing but dependencies, and what they need', () => {
    const listed = Object.keys(manifest.dependencies);
    const unlisted = [...loaded].filter((name) => !listed.includes(name));
    expect(unlisted).toEqual([]);
  });
});

test('what is loaded is seen, imported or required', () => {
  expect(packagesLoadedBy(importing('node_modules/mongodb/lib/index.js'))).toContain('mongodb');
  expect(packagesLoadedBy(importing('node_modules/mongodb/lib/index.js'))).toContain('bson');
  expect(packagesLoadedBy('')).toEqual(new Set());
});
