import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { sectionOf } from './markdown.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(path.join(root, 'docs/errors.md'), 'utf8');

/** Name and code of each error class of the library. */
const errors = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => [
    ...readFileSync(path.join(root, 'src', file), 'utf8').matchAll(
      /get name\(\) \{\s*return '(\w+)'[\s\S]*?get code\(\) \{\s*return '(\w+)'/g,
    ),
  ])
  .map(([, name = '', code = '']) => ({ name, code }));

describe('the page of errors', () => {
  test('explains each code that there is, and no other', () => {
    const explained = Array.from(page.matchAll(/^### ([A-Z_]+)$/gm), ([, code]) => code);
    expect(errors.length).toBeGreaterThanOrEqual(29);
    expect(explained.toSorted()).toEqual(errors.map(({ code }) => code).toSorted());
  });

  test.each(errors)('says what $code means, its cause and its cure', ({ name, code }) => {
    const section = sectionOf(page, `### ${code}`);
    expect(section).toMatch(new RegExp(`^\\s*\`${name}\`\\. \\S`));
    expect(section).toMatch(/^- \*\*Cause:\*\* \S/m);
    expect(section).toMatch(/^- \*\*Cure:\*\* \S/m);
  });
});
