import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { anchorsOf, linksOf } from './markdown.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (page: string) => readFileSync(path.join(root, page), 'utf8');
const pages = ['.', 'docs', 'examples', 'examples/airports'].flatMap((folder) =>
  readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.posix.join(folder, name)),
);

/** What is wrong with the links of a page. */
function brokenLinks(page: string, markdown: string): string[] {
  return linksOf(markdown).flatMap(({ target, line }) => {
    if (/^(https:|mailto:)/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const linked = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
    const problem = (text: string) => [`${page}:${line}: ${target} ${text}`];
    if (!existsSync(path.join(root, linked))) return problem('is not there');
    if (statSync(path.join(root, linked)).isDirectory()) return problem('is a folder');
    const text = file === '' ? markdown : read(linked);
    if (anchor !== undefined && !anchorsOf(text).has(anchor)) return problem('has no such heading');
    return [];
  });
}

describe('the links of the pages', () => {
  test('are found', () => {
    expect(pages).toContain('README.md');
    expect(pages).toContain('examples/airports/README.md');
    expect(pages.flatMap((page) => linksOf(read(page))).length).toBeGreaterThan(100);
  });

  test.each(pages)('lead somewhere: %s', (page) => {
    expect(brokenLinks(page, read(page))).toEqual([]);
  });

  test('are reported when they lead nowhere', () => {
    const page = [
      '# A `b` and [c](README.md), (d)!',
      '[good](#a-b-and-c-d) ![good](media/concepts.svg) [good](https://example.org)',
      '[bad](#a-b) [bad](nobody.md) [bad](stores.md#nothing "title") [bad](media)',
      '```ts',
      'a[0](nobody);',
      '```',
      '<img src="media/nobody.svg">',
    ].join('\n');
    expect(brokenLinks('docs/stores.md', page)).toEqual([
      'docs/stores.md:1: README.md is not there',
      'docs/stores.md:3: #a-b has no such heading',
      'docs/stores.md:3: nobody.md is not there',
      'docs/stores.md:3: stores.md#nothing has no such heading',
      'docs/stores.md:3: media is a folder',
      'docs/stores.md:7: media/nobody.svg is not there',
    ]);
  });
});
