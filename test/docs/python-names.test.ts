import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as maggma from '../../src/index.js';
import { sectionOf, tableRows } from './markdown.js';

const read = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');
const page = read('docs/migrating-from-python.md');
const golden = JSON.parse(read('test/golden/signatures.json')) as readonly {
  readonly '@class': string;
  readonly arguments_in_json_order: readonly { readonly name: string }[];
}[];

/** The code spans of a cell. */
const codes = (cell: string): string[] =>
  Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => code);
const rowsOf = (heading: string) => tableRows(sectionOf(page, heading));
const notHere = new Set(rowsOf('## Not here yet').flatMap(([python = '']) => codes(python)));
const classes = golden.filter((cls) => !notHere.has(cls['@class']));

/** Python's names of the options of a class, from the rows that stand under it or under "all". */
function optionsOf(heading: string, cls: string): Set<string> {
  const options = new Set<string>();
  let owners: string[] = [];
  for (const [owner = '', python = ''] of rowsOf(heading)) {
    if (owner !== '') owners = owner === 'all' ? ['all'] : codes(owner);
    if (owners.includes('all') || owners.includes(cls))
      for (const name of codes(python)) options.add(name);
  }
  return options;
}

describe('the page for those who come from Python', () => {
  test('has every class', () => {
    const rows = [...rowsOf('## Stores'), ...rowsOf('## Builders')];
    const named = new Set(rows.flatMap(([python = '']) => codes(python)));
    expect(classes.length).toBeGreaterThan(10);
    expect(classes.map((cls) => cls['@class']).filter((name) => !named.has(name))).toEqual([]);
  });

  test('says that a class is not here only when it is not', () => {
    expect([...notHere].filter((name) => Object.hasOwn(maggma, name))).toEqual([]);
  });

  test.each(classes.map((cls) => [cls['@class'], cls] as const))(
    'has every option of %s',
    (name, { arguments_in_json_order: expected }) => {
      const heading = name.includes('Builder')
        ? '### Options of builders'
        : '### Options of stores';
      const options = optionsOf(heading, name);
      expect(
        expected.map((argument) => argument.name).filter((option) => !options.has(option)),
      ).toEqual([]);
    },
  );
});
