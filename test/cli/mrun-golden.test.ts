import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { MEMORY, test } from './mrun-process.js';

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly exit_code: number;
}

const golden = (name: string) =>
  readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8');
const CASES = JSON.parse(golden('mrun.json')) as Case[];
const BUILDER = golden('builders/copy_default.json');

const FILES: Readonly<Record<string, unknown>> = {
  'b.json': BUILDER,
  'bs.json': golden('builders/two_builders_in_a_list.json'),
  'b.json.gz': gzipSync(BUILDER),
  'b.mpk': Buffer.from([0x80]),
  'b.yaml': golden('builders/two_builders_in_a_list.yaml'),
  'bad.json': { a: 1 },
  'rep.json': MEMORY,
  'rep.yaml': Object.entries(MEMORY)
    .map(([key, value]) => `'${key}': ${value}\n`)
    .join(''),
};

/** Where `mrun` ends with another code than Python's, and why. */
const DIFFERENCES: Readonly<Record<string, readonly [number, string]>> = {
  'b.mpk': [2, 'msgpack is not read by this version'],
  'b.yaml': [0, 'builders in YAML are built; Python does not decode them'],
  'bad.json': [2, 'a file without a builder is wrong usage, not a failed build'],
  'report yaml': [0, 'so are stores in YAML'],
};

describe('what mrun of Python was given', { concurrent: true }, () => {
  test('has the differences that are listed', () => {
    const names = CASES.filter(
      ({ exit_code, name }) => exit_code !== (DIFFERENCES[name]?.[0] ?? exit_code),
    );
    expect(names.map(({ name }) => name).sort()).toEqual(Object.keys(DIFFERENCES).sort());
    expect(CASES.length).toBeGreaterThan(Object.keys(DIFFERENCES).length);
  });

  test.for(CASES)(
    'ends with the same code: $name',
    async ({ name, args, exit_code }, { project }) => {
      for (const [file, content] of Object.entries(FILES)) project.write(file, content);
      const [code, why = 'as Python'] = DIFFERENCES[name] ?? [exit_code];
      const ran = await project.run(...args);
      expect(ran.code, `${why}: ${ran.stderr}`).toBe(code);
      expect(ran.stdout).toBe('');
      // What cannot be run says why in one line, where Python shows a traceback.
      if (code === 0) expect(ran.stderr).not.toMatch(/^mrun: /m);
      else expect(ran.stderr).toMatch(/^mrun: [^\n]+\n$/);
    },
  );
});
