import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frontMatterOf } from './markdown.js';
import { run } from './user-project.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const config = JSON.parse(readFileSync(path.join(root, 'typedoc.json'), 'utf8')) as {
  readonly projectDocuments: readonly string[];
  readonly groupOrder: readonly string[];
};
const guides = readdirSync(path.join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/** A page of the site: where its links lead, and what can be linked to. */
interface Page {
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

function parse(html: string): Page {
  const all = (pattern: RegExp) => Array.from(html.matchAll(pattern), ([, text = '']) => text);
  return {
    links: all(/\s(?:href|src)="([^"]*)"/g).map((link) => link.replaceAll('&amp;', '&')),
    anchors: new Set(all(/\sid="([^"]*)"/g)),
  };
}

/** The links of a site that lead nowhere. */
function brokenLinks(files: ReadonlySet<string>, pages: ReadonlyMap<string, Page>): string[] {
  const broken: string[] = [];
  for (const [name, { links }] of pages)
    for (const link of links) {
      if (/^(https?|mailto|data):/.test(link) || link === '#') continue;
      const [file = '', anchor] = decodeURIComponent(link).split('#');
      const target = file === '' ? name : path.posix.join(path.posix.dirname(name), file);
      const hasAnchor = anchor === undefined || pages.get(target)?.anchors.has(anchor);
      // A Markdown page in the site is one that TypeDoc was not told of: it would be shown as text.
      if (!files.has(target) || target.endsWith('.md') || !hasAnchor)
        broken.push(`${name}: ${link}`);
    }
  return broken;
}

describe('the guides', () => {
  test('are all part of the site, and nothing else is', () => {
    const listed = config.projectDocuments.filter((name) => name.startsWith('docs/'));
    expect(listed.toSorted()).toEqual(guides.toSorted());
  });

  test.each(guides)('have a title and a place in the navigation: %s', (page) => {
    const { title, group } = frontMatterOf(readFileSync(path.join(root, page), 'utf8'));
    expect(title).toBeTruthy();
    expect(config.groupOrder).toContain(group);
  });
});

describe('the site', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'maggma-site-'));
  let files: ReadonlySet<string> = new Set();
  let pages: ReadonlyMap<string, Page> = new Map();

  beforeAll(async () => {
    const typedoc = path.join(root, 'node_modules/typedoc/bin/typedoc');
    // That it compiles is known before.
    const args = [typedoc, '--skipErrorChecking', '--out', folder];
    const built = await run(process.execPath, args, { cwd: root });
    expect(built.code, built.output).toBe(0);
    files = new Set(readdirSync(folder, { recursive: true, encoding: 'utf8' }));
    pages = new Map(
      [...files]
        .filter((name) => /\.(html|svg)$/.test(name))
        .map((name) => [name, parse(readFileSync(path.join(folder, name), 'utf8'))]),
    );
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('has a page for each guide and each class', () => {
    const documents = [...pages.keys()].filter((name) => name.startsWith('documents/'));
    expect(documents.length).toBeGreaterThanOrEqual(guides.length);
    expect([...pages.keys()].some((name) => /^classes\/.*MapBuilder\.html$/.test(name))).toBe(true);
    expect(files).toContain('media/concepts.svg');
  });

  test('has no link that leads nowhere', () => {
    expect([...pages.values()].flatMap(({ links }) => links).length).toBeGreaterThan(1000);
    expect(brokenLinks(files, pages)).toEqual([]);
  });

  test('would be found wanting', () => {
    const wrong = parse(
      '<h2 id="there"><a href="#there"></a><a href="#here"></a><img src="x.svg">',
    );
    const names = new Set(['wrong.html']);
    expect(brokenLinks(names, new Map([['wrong.html', wrong]]))).toEqual([
      'wrong.html: #here',
      'wrong.html: x.svg',
    ]);
  });
});
