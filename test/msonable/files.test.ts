import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { FileFormatError, SerializationError } from '../../src/errors/serialization-errors.js';
import { dumpfn, dumps } from '../../src/msonable/dump.js';
import { decompress } from '../../src/msonable/file-format.js';
import { loadfn } from '../../src/msonable/load.js';
import { MemoryStore, MongoStore, MongoURIStore } from './golden-classes.js';
import { Holder } from './holder.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => path.join(folder, name);

describe('dumpfn', () => {
  test('leaves the old file when something cannot be written', () => {
    for (const name of ['keep.json', 'keep.yaml', 'keep.json.gz']) {
      dumpfn({ a: 1 }, file(name));
      const before = readFileSync(file(name));
      expect(() => dumpfn({ a: 1, b: () => 1 }, file(name))).toThrow(SerializationError);
      expect(readFileSync(file(name))).toEqual(before);
    }
    expect(() => dumpfn(() => 1, file('never.json'))).toThrow(SerializationError);
    expect(existsSync(file('never.json'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('says which file cannot be written', () => {
    expect(() => dumpfn(1, file('no/such/folder.json'))).toThrow(
      /no\/such\/folder\.json: it cannot be written: ENOENT/,
    );
    mkdirSync(file('folder.json'));
    expect(() => dumpfn(1, file('folder.json'))).toThrow(FileFormatError);
  });

  test('a file with secrets is for its owner only', () => {
    const modeOf = (value: unknown, name: string): number => {
      dumpfn(value, file(name));
      return statSync(file(name)).mode & 0o777;
    };
    const open = 0o666 & ~process.umask();
    expect(modeOf(new MongoStore('d', 'c', { password: 'p' }), 'secret.json')).toBe(0o600);
    expect(modeOf([{ deep: new MongoURIStore('mongodb://h/d', 'c') }], 'secret.yaml')).toBe(0o600);
    expect(modeOf(new MongoStore('d', 'c'), 'open.json')).toBe(open);
    chmodSync(file('open.json'), 0o644);
    expect(modeOf(new Holder(1, { apiToken: 't' }), 'open.json')).toBe(0o600);
  });

  test('takes a format against the name', async () => {
    dumpfn({ a: 1 }, file('x.txt'), { format: 'yaml' });
    expect(readFileSync(file('x.txt'), 'utf8')).toBe('a: 1\n');
    expect(await loadfn(file('x.txt'), { format: 'yaml' })).toEqual({ a: 1 });
    dumpfn({ a: 1 }, file('y.yaml'), { format: 'json' });
    expect(readFileSync(file('y.yaml'), 'utf8')).toBe('{"a": 1}');
  });

  test('indents YAML as asked', () => {
    dumpfn({ a: { b: 1 } }, file('indent.yaml'), { indent: 4 });
    expect(readFileSync(file('indent.yaml'), 'utf8')).toBe('a:\n    b: 1\n');
  });

  test('keeps every kind of value in YAML as in JSON', async () => {
    const value = [
      new Holder(new Map([['k', new Date(5)]])),
      { '@module': 'a', '@class': 'b' },
      2n ** 70n,
    ];
    for (const name of ['all.json', 'all.yaml', 'all.yml.gz']) {
      dumpfn(value, file(name));
      expect(dumps(await loadfn(file(name)))).toBe(dumps(value));
    }
  });
});

describe('loadfn', () => {
  test('reads a file by a link to it', async () => {
    dumpfn(new MemoryStore(), file('target.json'));
    symlinkSync(file('target.json'), file('link.json'));
    expect(await loadfn(file('link.json'))).toBeInstanceOf(MemoryStore);
  });

  test('extended JSON is not for YAML', async () => {
    writeFileSync(file('ext.yaml'), 'a: {$oid: x}\nb: 2020-01-02 03:04:05\n');
    expect(await loadfn(file('ext.yaml'))).toEqual({
      a: { $oid: 'x' },
      b: new Date('2020-01-02T03:04:05Z'),
    });
  });

  test.each([
    ['gone.json', null, /gone\.json: it cannot be read: ENOENT/],
    ['plain.json.gz', '{}', /it is not compressed with gzip, although its name says so/],
    ['gzip.json', gzipSync('{}'), /it is compressed with gzip: give it a name that ends in "\.gz"/],
    ['cut.json.gz', gzipSync('{"a": 1}').subarray(0, 15), /its compression is damaged/],
    ['latin.json', Buffer.from('"\xe9"', 'latin1'), /it is not UTF-8/],
    ['bad.json', '{"a": 1,}', /bad\.json: It is not valid JSON: .*line 1, column 9/],
    ['bad.yaml', 'a: b: c', /bad\.yaml: It is not valid YAML: .*line 1/],
    [
      'x.mpk',
      'x',
      /msgpack files are not supported by this version: use a name with "\.json" or "\.yaml"/,
    ],
    ['x.json.bz2', 'x', /compression with bzip2 is not supported by this version/],
    ['x.json.xz', 'x', /compression with xz is not supported/],
    ['x.json.lzma', 'x', /compression with xz is not supported/],
    ['x.json.zst', 'x', /compression with zstd is not supported/],
  ])('%s', async (name, content, message) => {
    if (content !== null) writeFileSync(file(name), content);
    await expect(loadfn(file(name))).rejects.toThrow(FileFormatError);
    await expect(loadfn(file(name))).rejects.toThrow(message);
    await expect(loadfn(file(name))).rejects.toMatchObject({ file: file(name) });
  });
});

describe('hazards', () => {
  test('a bomb of gzip is stopped at the limit', () => {
    const bomb = gzipSync(Buffer.alloc(2_000_000, ' '));
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => decompress('bomb.json.gz', bomb, 1_000_000)).toThrow(
      /bomb\.json\.gz: expected at most 1000000 bytes of text, got more/,
    );
    expect(decompress('bomb.json.gz', bomb, 2_000_000)).toHaveLength(2_000_000);
    expect(() => decompress('large.json', Buffer.alloc(11, ' '), 10)).toThrow(/at most 10 bytes/);
  });

  test('the limit holds for files as well', async () => {
    const part = gzipSync(Buffer.alloc(2 ** 24, ' '), { level: 1 });
    writeFileSync(file('bomb.json.gz'), Buffer.concat(Array(17).fill(part)));
    await expect(loadfn(file('bomb.json.gz'))).rejects.toThrow(/expected at most 268435456 bytes/);
  });

  test('keys of prototypes stay data, also in arguments', async () => {
    const text = `{"@module": "maggma_ts.test", "@class": "Holder",
      "value": {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}}`;
    writeFileSync(file('proto.json'), text);
    const { value } = await loadfn<Holder>(file('proto.json'));
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
    for (const name of ['proto2.json', 'proto2.yaml']) {
      dumpfn(new Holder(value), file(name));
      const again = await loadfn<Holder>(file(name));
      expect(dumps(again.value)).toBe(dumps(value));
    }
  });

  test('deep files are an error, not a crash', async () => {
    writeFileSync(file('deep.json'), '['.repeat(500_000));
    writeFileSync(file('deep.yaml'), '['.repeat(20_000));
    await expect(loadfn(file('deep.json'))).rejects.toThrow(/at most 990 levels/);
    await expect(loadfn(file('deep.yaml'))).rejects.toThrow(/deep\.yaml: It is not valid YAML/);
  });
});
