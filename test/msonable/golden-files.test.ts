import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { DumpfnOptions } from '../../src/msonable/dump.js';
import { dumpfn, dumps } from '../../src/msonable/dump.js';
import { loadfn } from '../../src/msonable/load.js';
import type { PlainValue } from '../../src/msonable/plain-value.js';
import { lookupClass, state, tagKey } from '../../src/msonable/registry.js';
import { canonical, golden, goldenBytes, Tally } from './golden-data.js';
import './golden-classes.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-msonable-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Files in which an object of a class that is known has an argument of one that is not. */
const IS_ARGUMENT = /memory_validator|mongo_ssh|builder_over_/;

describe('stores/ and builders/', () => {
  const ENUM = 'an enum is written as its value, which Python takes as well';
  const DIFFERENCES: Readonly<Record<string, string>> = {
    'stores/memory_enum_type.json': ENUM,
    'stores/mongo_sort_enum.json': ENUM,
    'stores/aliasing.json': ENUM,
    'stores/aliasing.yaml': ENUM,
    'builders/builder_over_concat_alias.json': ENUM,
    'stores/json_path_object.json': 'the path is written as text, which Python takes as well',
    'builders/copy_full.yaml': 'the key "n" is quoted, for YAML 1.1 takes it for a boolean',
  };
  const files = ['stores', 'builders'].flatMap((name) =>
    readdirSync(new URL(`../golden/${name}/`, import.meta.url))
      .filter((file) => !/^(?:index|wire)\.json$/.test(file))
      .map((file) => `${name}/${file}`),
  );

  test('what Python dumped is loaded and dumped again as it was', async () => {
    const tally = new Tally('stores/ and builders/', DIFFERENCES);
    let unknown = 0;
    for (const file of files) {
      if (await namesUnknownClass(file)) unknown++;
      else tally.count(file, await problemOf(file));
    }
    console.log(`stores/ and builders/: ${unknown} more name classes that are not in the test`);
    const { counted, others, notFound } = tally.report(files.length - unknown);
    expect(others).toEqual([]);
    expect(notFound).toEqual([]);
    expect(counted + unknown).toBe(files.length);
    expect(counted).toBeGreaterThanOrEqual(30);
  });

  test('a file with an unknown class is an error, or survives when asked to', async () => {
    for (const file of files) {
      if (!(await namesUnknownClass(file))) continue;
      const source = fileOf(file);
      await expect(loadfn(source)).rejects.toMatchObject({ code: 'UNKNOWN_CLASS' });
      if (IS_ARGUMENT.test(file)) {
        // Keeping it would hand a record to a constructor that asks for an object.
        await expect(loadfn(source, { unknown: 'keep' })).rejects.toMatchObject({
          code: 'DESERIALIZATION',
        });
        continue;
      }
      const target = path.join(folder, path.basename(file));
      dumpfn(await loadfn(source, { unknown: 'keep' }), target);
      // Stores inside a record that is kept are kept with it, enums and all.
      if (!file.includes('.yaml') && !file.includes('indent2'))
        expect(canonical(textOf(target))).toBe(canonical(textOf(source)));
    }
  });

  async function problemOf(file: string): Promise<string | null> {
    const source = fileOf(file);
    const target = path.join(folder, path.basename(file));
    dumpfn(await loadfn(source), target, file.includes('indent2') ? { indent: 2 } : {});
    const [written, expected] = [textOf(target), textOf(source)];
    if (file.includes('.yaml')) {
      const same =
        written.replace(/\b(\d+)\.0$/gm, '$1') === expected.replace(/\b(\d+)\.0$/gm, '$1');
      return same ? null : `written as ${written}`;
    }
    if (!/\d\.0\b/.test(expected.replaceAll('0.74.0', '')))
      return written === expected ? null : `written as ${written}`;
    return canonical(written) === canonical(expected) ? null : `written as ${written}`;
  }
});

function fileOf(name: string): string {
  return new URL(`../golden/${name}`, import.meta.url).pathname;
}

function textOf(file: string): string {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

async function namesUnknownClass(file: string): Promise<boolean> {
  const text = textOf(fileOf(file));
  const tags = [...text.matchAll(/@module['"]: "?([\w.]+)"?,?\s+['"]@class['"]: "?(\w+)/g)];
  expect(tags.length, file).toBeGreaterThan(0);
  return tags.some(([, module = '', name = '']) => {
    const isPythonValue = module === 'pathlib';
    return !isPythonValue && !lookupClass(module, name) && !state.values.has(tagKey(module, name));
  });
}

interface IoGolden {
  readonly by_file_name: readonly {
    readonly file: string;
    readonly compression: string;
    readonly format: string;
    readonly content?: string;
    readonly raw_base64?: string;
  }[];
  readonly json_kwargs: readonly {
    readonly kwargs: string;
    readonly content?: string;
    readonly error?: object;
  }[];
  readonly loading_odd_bytes: readonly {
    readonly file: string;
    readonly bytes_hex: string;
    readonly loadfn_error?: object;
    readonly loadfn_repr?: string;
  }[];
}

describe('io.json', () => {
  const { by_file_name, json_kwargs, loading_odd_bytes } = golden<IoGolden>('io.json');
  const document = {
    b: 1,
    a: [1, null, true, 'Å'],
    n: { x: Number.NaN },
    when: new Date('2020-01-02T03:04:05Z'),
  };
  const BZIP2 = 'bzip2 is not supported; the error says so';
  const XZ = 'xz is not supported; the error says so';
  const MSGPACK = 'msgpack is not supported; the error says so';
  const DIFFERENCES: Readonly<Record<string, string>> = {
    'doc.json.bz2': BZIP2,
    'doc.yaml.bz2': BZIP2,
    'doc.json.xz': XZ,
    'doc.json.lzma': XZ,
    'doc.json.zst': 'Python writes no compression at all under this name; here it is an error',
    'doc.mpk': MSGPACK,
    'doc.mpk.gz': MSGPACK,
    'doc.mpk.json': MSGPACK,
    'doc.mpk.yaml': MSGPACK,
  };

  test('format and compression follow from the name', async () => {
    const tally = new Tally('io.json by_file_name', DIFFERENCES);
    for (const one of by_file_name) {
      const file = path.join(folder, one.file);
      try {
        const bytes = Buffer.from(
          one.raw_base64 ?? one.content ?? '',
          one.raw_base64 ? 'base64' : 'utf8',
        );
        writeFileSync(file, bytes);
        expect(await loadfn(file)).toStrictEqual(document);
        dumpfn(document, file);
        const isGzip = readFileSync(file)[0] === 0x1f;
        expect(isGzip).toBe(one.compression === 'gzip');
        const written = (isGzip ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString();
        // Python's own dates in YAML cannot be told from others there; here they are written as in JSON.
        if (one.format === 'yaml')
          expect(written).toContain("b: 1\na:\n- 1\n- \n- true\n- Å\n'n':");
        else expect(canonical(written)).toBe(canonical(one.content ?? ''));
        expect(await loadfn(file)).toStrictEqual(document);
        tally.count(one.file, null);
      } catch (error) {
        const isClear = (error as { code?: unknown }).code === 'FILE_FORMAT';
        expect(() => dumpfn(document, file)).toThrow(/not supported by this version/);
        tally.count(one.file, isClear ? (error as Error).message : null);
      } finally {
        rmSync(file, { force: true });
      }
    }
    const { counted, others, notFound } = tally.report(by_file_name.length);
    expect(others).toEqual([]);
    expect(notFound).toEqual([]);
    expect(counted).toBe(by_file_name.length);
  });

  const OPTIONS: Readonly<Record<string, DumpfnOptions>> = {
    '{}': {},
    "{'indent': 2}": { indent: 2 },
    "{'indent': 4, 'sort_keys': True}": { indent: 4, sortKeys: true },
    "{'indent': None, 'separators': (',', ':')}": { separators: [',', ':'] },
    "{'ensure_ascii': False}": { ensureAscii: false },
    "{'allow_nan': False}": { allowNan: false },
    "{'indent': 0}": { indent: 0 },
    "{'indent': '\\t'}": { indent: '\t' },
  };

  test('the options of json.dumps', () => {
    expect(json_kwargs).toHaveLength(Object.keys(OPTIONS).length);
    for (const { kwargs, content, error } of json_kwargs) {
      const options = OPTIONS[kwargs] ?? expect.fail(kwargs);
      if (error) expect(() => dumps(document, options)).toThrow(/NaN/);
      else expect(dumps(document, options)).toBe(content?.replace('1.0', '1'));
    }
  });

  test('odd bytes', async () => {
    for (const { file, bytes_hex, loadfn_error } of loading_odd_bytes) {
      const target = path.join(folder, file);
      writeFileSync(target, Buffer.from(bytes_hex, 'hex'));
      if (loadfn_error)
        await expect(loadfn(target), file).rejects.toMatchObject({ code: 'FILE_FORMAT' });
      else expect(await loadfn(target), file).toEqual(file === 'crlf.json' ? { a: 'x' } : null);
    }
  });

  test('files/ holds the same document', async () => {
    for (const name of ['doc.json', 'doc.json.gz', 'doc.yaml', 'doc.yaml.gz'])
      expect(await loadfn(fileOf(`files/${name}`))).toStrictEqual(document);
    expect(goldenBytes('files/doc.json').length).toBeGreaterThan(0);
  });
});

test('misc.json: what Python also wrote as msgpack', async () => {
  const { mpk } = golden<{ mpk: { name: string; json_same_object: string }[] }>('misc.json');
  const memory = mpk.find(({ name }) => name === 'memory')?.json_same_object ?? '';
  const file = path.join(folder, 'memory.json');
  writeFileSync(file, memory);
  expect(dumps(await loadfn<PlainValue>(file))).toBe(memory);
});
