import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { OPTIONS } from '../../src/cli/option-table.js';
import { engineUrl } from '../../src/processor/distributed/engines.js';

const folder = fileURLToPath(new URL('../../examples/distributed', import.meta.url));
const files = readdirSync(folder);
const flags = new Set(Object.values(OPTIONS).flatMap(({ flags: own }) => own.match(/--?[\w-]+/g)));

interface Compose {
  readonly services: Readonly<Record<string, { readonly command: string }>>;
}

/** The command lines of `mrun` in a file. */
function commandsOf(file: string): string[] {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const commands = file.endsWith('.service')
    ? Array.from(text.matchAll(/^ExecStart=(.*)$/gm), ([, command = '']) => command)
    : Object.values((parse(text, { merge: true }) as Compose).services).map((s) => s.command);
  return commands.filter((command) => command.includes('/mrun '));
}

describe('the examples of distributed runs', () => {
  test('start managers and workers', () => {
    const commands = files.flatMap(commandsOf);
    expect(commands.filter((command) => / -N \d+ builders\.json$/.test(command))).toHaveLength(3);
    expect(commands.filter((command) => / -n \d+/.test(command))).toHaveLength(3);
  });

  test.each(files)('use options that there are, and URLs that can be used: %s', (file) => {
    for (const command of commandsOf(file)) {
      const words = command.split(' ');
      const used = words.filter((word) => word.startsWith('-'));
      expect(used.filter((option) => !flags.has(option))).toEqual([]);
      expect(() => engineUrl(words[words.indexOf('--url') + 1] ?? '')).not.toThrow();
    }
  });
});
