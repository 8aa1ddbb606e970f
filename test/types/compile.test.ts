import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { run, UserProject } from '../docs/user-project.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = new UserProject();
afterAll(() => project[Symbol.dispose]());

/** Compiles a program against the published types, as strictly as this repository compiles its own. */
async function problemsIn(name: string, code: string): Promise<string> {
  const file = project.write(name, code);
  const config = project.write(
    'tsconfig.json',
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: { importHelpers: false }, // The helpers' package is ours, not the project's.
      references: [],
      include: [],
      files: [file],
    }),
  );
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  return (await run(process.execPath, [tsc, '-p', config], { cwd: project.folder })).output;
}

test('what must compile does, and what must not does not', async () => {
  const code = readFileSync(path.join(root, 'test/types/api.test-d.ts'), 'utf8');
  expect(await problemsIn('api.ts', code)).toBe('');
});

test('an expectation that is not met is reported', async () => {
  const code = `import { MemoryStore } from 'maggma';\n// @ts-expect-error\nnew MemoryStore();\n`;
  expect(await problemsIn('unmet.ts', code)).toContain('TS2578');
});
