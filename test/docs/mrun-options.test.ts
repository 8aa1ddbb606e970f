import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { OptionKey, OptionSpec } from '../../src/cli/option-table.js';
import { COMMAND_NAMES, OPTIONS, variableOf } from '../../src/cli/option-table.js';

const page = readFileSync(new URL('../../docs/mrun.md', import.meta.url), 'utf8');

/** The rows of a table, without its last column, as words of code. */
function rowsOf(heading: string): string[][] {
  const start = page.indexOf(heading);
  expect(start, heading).toBeGreaterThanOrEqual(0);
  const [table = ''] = page.slice(start).split('\n\n');
  return table
    .split('\n')
    .slice(2)
    .map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
}

test('docs/mrun.md lists every option with its flag, variable, key and default', () => {
  const rows = rowsOf('| flag | variable | key | default | meaning |');
  const expected = (Object.keys(OPTIONS) as OptionKey[]).map((key) => {
    const { flags, fallback }: OptionSpec = OPTIONS[key];
    const flag = flags
      .split(', ')
      .map((each) => `\`${each}\``)
      .join(', ');
    const shown = fallback === null ? 'none' : `\`${fallback}\``;
    return [flag, `\`${variableOf(key)}\``, `\`${key}\``, shown];
  });
  expect(rows.map((row) => row.slice(0, 4))).toEqual(expected);
  for (const row of rows) expect(row[4]?.length).toBeGreaterThan(10);
});

test('docs/mrun.md lists every command', () => {
  const named = rowsOf('| command | does |').map(([cell = '']) => cell.split(' ')[1]);
  expect(named).toEqual(expect.arrayContaining([...COMMAND_NAMES, 'help']));
});
