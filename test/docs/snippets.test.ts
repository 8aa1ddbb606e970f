import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { docsServer } from './docs-server.js';
import type { Snippet } from './snippets.js';
import { fileOf, folderOf, isModule, neverRun, snippetsOf, withoutChanges } from './snippets.js';
import type { Ran } from './user-project.js';
import { run, UserProject } from './user-project.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['README.md', ...readdirSync(path.join(root, 'docs'))]
  .filter((name) => name.endsWith('.md'))
  .map((name) => (name === 'README.md' ? name : `docs/${name}`))
  .map((page) => ({
    page,
    snippets: snippetsOf(page, readFileSync(path.join(root, page), 'utf8')),
  }));
const server = docsServer();
const project = new UserProject();

beforeAll(() => {
  for (const { page, snippets } of pages)
    for (const snippet of snippets.filter((s) => isModule(s) || isFile(s)))
      project.write(`${folderOf(page)}/${fileOf(snippet)}`, server.adapt(snippet.code));
});
afterAll(async () => {
  project[Symbol.dispose]();
  await server.close();
});

describe('the code in the docs', () => {
  test('is found', () => {
    expect(pages.length).toBeGreaterThanOrEqual(7);
    for (const { snippets } of pages) expect(snippets.length).toBeGreaterThan(0);
  });

  test.each([
    ['with standard decorators', false],
    ['with experimentalDecorators', true],
  ] as const)('compiles against the published types %s', async (_, experimentalDecorators) => {
    const options = { experimentalDecorators, strict: true, noEmit: true, skipLibCheck: true };
    const config = project.write(
      `tsconfig.${experimentalDecorators}.json`,
      JSON.stringify({
        compilerOptions: { ...options, module: 'nodenext', target: 'es2022', types: ['node'] },
        include: ['*/*.ts'],
      }),
    );
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const { output } = await run(process.execPath, [tsc, '-p', config], { cwd: project.folder });
    expect(output).toBe('');
  });

  test('is run completely where a server is required', () => {
    expect(server.available || process.env['MAGGMA_REQUIRE_MONGODB'] !== '1').toBe(true);
  });

  test('is run by something', () => {
    expect(pages.flatMap(({ snippets }) => neverRun(snippets))).toEqual([]);
  });

  test.for(pages)(
    'does what $page says',
    { timeout: 240_000, concurrent: true },
    async ({ page, snippets }, context) => {
      let ran: Ran = { output: '', code: 0 };
      for (const snippet of snippets) {
        if (snippet.flags.has('mongodb') && !server.available) {
          console.warn(`NOT RUN without MONGODB_URI: ${page}:${snippet.line}`);
          ran = { output: SKIPPED, code: 0 };
        } else if (snippet.flags.has('output')) checkOutput(snippet, ran, context.expect);
        else ran = (await runSnippet(snippet, context.expect)) ?? ran;
      }
    },
  );

  test('is, in the README, the example of the repository', () => {
    const [readme] = pages;
    const shown = (title: string) => readme?.snippets.find((s) => s.title === title)?.code;
    for (const name of ['multiply.ts', 'samples.json'])
      expect(`${shown(name)}\n`).toBe(readFileSync(path.join(root, 'examples', name), 'utf8'));
  });
});

const SKIPPED = '<skipped>';

function isFile({ language, title, flags }: Snippet): boolean {
  return ['json', 'yaml'].includes(language) && title !== undefined && !flags.has('output');
}

/** What runs a block that has no name. One that needs no other TypeScript starts sooner without tsx. */
function commandFor(snippet: Snippet): string {
  const file = fileOf(snippet);
  if (/['"]\.{1,2}\//.test(snippet.code)) return `npx tsx ${file}`;
  const { outputText } = ts.transpileModule(server.adapt(snippet.code), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const compiled = file.replace(/\.ts$/, '.mjs');
  project.write(`${folderOf(snippet.page)}/${compiled}`, outputText);
  return `node ${compiled}`;
}

async function runSnippet(snippet: Snippet, check: typeof expect): Promise<Ran | undefined> {
  const { language, code, title, page, line } = snippet;
  const env = { MONGODB_URI: server.uri };
  let ran: Ran | undefined;
  if (language === 'sh') ran = await project.sh(server.adapt(code), folderOf(page), env);
  else if (isModule(snippet) && title === undefined)
    ran = await project.sh(commandFor(snippet), folderOf(page), env);
  else if (language === 'json' && title === undefined) JSON.parse(code);
  if (ran !== undefined) check(ran.code, `${page}:${line} prints\n${ran.output}`).toBe(0);
  return ran;
}

function checkOutput(
  { page, line, code, title, language }: Snippet,
  ran: Ran,
  check: typeof expect,
) {
  if (ran.output === SKIPPED) return;
  const folder = path.join(project.folder, folderOf(page));
  const shown = title === undefined ? ran.output : readFileSync(path.join(folder, title), 'utf8');
  const place = `${page}:${line}`;
  const [actual, expected] = [shown, code].map((text) => withoutChanges(text, folder));
  if (language === 'json')
    check(JSON.parse(actual ?? ''), place).toEqual(JSON.parse(expected ?? ''));
  else check(actual, place).toBe(expected);
}
