import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Long, ObjectId } from 'bson';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import {
  InvalidDocumentError,
  ReadOnlyStoreError,
  StoreConflictError,
  StoreConnectionError,
} from '../../src/errors/store-errors.js';
import type { JSONStoreOptions } from '../../src/store/memory/json-store.js';
import { JSONStore } from '../../src/store/memory/json-store.js';
import { processMark } from '../../src/util/process-mark.js';
import { SCALE } from '../effort.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-json-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name = 'a.json') => path.join(folder, name);
const writable = { key: 'k', readOnly: false } as const;

async function opened(paths: string | string[], options: JSONStoreOptions = { key: 'k' }) {
  const store = new JSONStore(paths, options);
  await store.connect();
  return store;
}

test('merges several files, also gzipped ones, the later document winning', async () => {
  writeFileSync(file('a.json'), '[{"k": 1, "v": "a"}, {"k": 2, "v": "a"}]');
  writeFileSync(file('b.json.gz'), gzipSync('[{"k": 2, "v": "b"}]'));
  const store = await opened([file('a.json'), file('b.json.gz')]);
  const docs = await store.query({}, { properties: { _id: 0 }, sort: { k: 1 } }).toArray();
  expect(docs).toEqual([
    { k: 1, v: 'a' },
    { k: 2, v: 'b' },
  ]);
});

test('takes a lone object for a list of one, and an empty list for nothing', async () => {
  writeFileSync(file('a.json'), '{"k": 1}');
  writeFileSync(file('b.json'), '[]');
  expect(await (await opened(file('a.json'))).count()).toBe(1);
  expect(await (await opened(file('b.json'))).count()).toBe(0);
});

test('reads extended JSON, long integers and NaN as Python writes them', async () => {
  writeFileSync(
    file(),
    `[{"_id": {"$oid": "562e8301218dcbbc3d7d91ce"}, "k": 1, "when": {"$date": "2020-01-02T03:04:05Z"},
       "big": 9007199254740993, "nan": NaN, "last_updated": "2020-01-02 03:04:05.678901"}]`,
  );
  const doc = await (await opened(file())).queryOne();
  expect(doc).toEqual({
    _id: new ObjectId('562e8301218dcbbc3d7d91ce'),
    k: 1,
    when: new Date('2020-01-02T03:04:05Z'),
    big: Long.fromString('9007199254740993'),
    nan: Number.NaN,
    last_updated: new Date('2020-01-02T03:04:05.678Z'),
  });
});

test('keeps the texts of an isoformat store as they are', async () => {
  writeFileSync(file(), '[{"k": 1, "last_updated": "2020-01-02T03:04:05"}]');
  const store = await opened(file(), { key: 'k', lastUpdatedType: 'isoformat' });
  expect((await store.queryOne())?.['last_updated']).toBe('2020-01-02T03:04:05');
});

test('writes ISO text for the time stamp, no _id that it made up, and one document a line', async () => {
  const store = await opened(file(), writable);
  await store.update([
    { k: 1, last_updated: new Date('2020-01-02T03:04:05.678Z') },
    { _id: 'own', k: 2, when: new Date(0) },
  ]);
  expect(readFileSync(file(), 'utf8')).toBe(
    '[\n{"k":1,"last_updated":"2020-01-02T03:04:05.678"},\n' +
      '{"_id":"own","k":2,"when":{"$date":"1970-01-01T00:00:00.000Z"}}\n]\n',
  );
});

test('gives every type back after it was written and read again', async () => {
  const doc = {
    k: 1,
    nan: Number.NaN,
    zero: -0,
    big: Long.fromString('9007199254740993'),
    regex: /^a/i,
    deep: { when: [new Date(-1), new Date(Date.UTC(10000, 0))], id: new ObjectId() },
    ['__proto__x']: 1,
    last_updated: new Date(5),
  };
  const writer = await opened(file('t.json.gz'), writable);
  await writer.update(doc);
  await writer.close();
  expect(gunzipSync(readFileSync(file('t.json.gz'))).length).toBeGreaterThan(10);
  const reader = await opened(file('t.json.gz'));
  const { _id, ...read } = (await reader.queryOne()) ?? {};
  expect(read).toStrictEqual(doc);
});

test('refuses an object that the file would give back as another type', async () => {
  const store = await opened(file(), writable);
  await expect(store.update({ k: 1, a: { $oid: 'x' } })).rejects.toThrow(InvalidDocumentError);
  expect(existsSync(file())).toBe(false);
  expect(await store.count()).toBe(0);
});

test('connecting writes nothing, also when there is no file', async () => {
  const store = await opened(file(), writable);
  expect(readdirSync(folder)).toEqual([]);
  await store.close();
  writeFileSync(file(), '[{"k":1}]');
  const before = statSync(file()).mtimeMs;
  await (await opened(file(), writable)).close();
  expect(statSync(file()).mtimeMs).toBe(before);
});

test('a read-only store refuses to change, and says how to write', async () => {
  writeFileSync(file(), '[{"k":1}]');
  const store = await opened(file());
  await expect(store.update({ k: 2 })).rejects.toThrow(ReadOnlyStoreError);
  await expect(store.removeDocs({})).rejects.toThrow(/readOnly: false/);
  expect(await store.count()).toBe(1);
});

test.each([
  ['no file', undefined, /there is no file .*a\.json/],
  ['an empty file', '', /line 1/],
  ['not JSON', '[{"k": 1},', /line 1/],
  ['no objects', '[1]', /element 0 is 1/],
  ['a missing key', '[{"k": 1}, {"x": 1, "y": 2}]', /\$\[1\].*"k".*x, y/],
  ['bad extended JSON', '[{"k": {"$oid": "xyz"}}]', /element 0: /],
])('names the file and the problem when it finds %s', async (_, content, message) => {
  if (content !== undefined) writeFileSync(file(), content);
  const failure = opened(file());
  await expect(failure).rejects.toThrow(StoreConnectionError);
  await expect(failure).rejects.toThrow(message);
});

test('names a file that is not in its encoding, and one that is not gzip', async () => {
  writeFileSync(file(), Buffer.from([0x22, 0xe9, 0x22]));
  await expect(opened(file())).rejects.toThrow(/cannot be decoded/);
  await opened(file('latin.json'), { key: 'k', encoding: 'nonsense' }).catch((error) =>
    expect(error).toBeInstanceOf(InvalidOptionError),
  );
  writeFileSync(file('latin.json'), Buffer.from('[{"k":"\xe9"}]', 'latin1'));
  const store = await opened(file('latin.json'), { key: 'k', encoding: 'latin1' });
  expect((await store.queryOne())?.['k']).toBe('é');
  writeFileSync(file('b.json.gz'), '[]');
  await expect(opened(file('b.json.gz'))).rejects.toThrow(/b\.json\.gz cannot be decoded/);
});

test('refuses options that make no sense', () => {
  expect(() => new JSONStore([])).toThrow(InvalidOptionError);
  expect(() => new JSONStore(['a', 'b'], { readOnly: false })).toThrow(/single file/);
  expect(() => new JSONStore('a', { flush: 'never' as 'close' })).toThrow(/"update", "close"/);
  expect(() => new JSONStore('a', { readOnly: false, encoding: 'latin1' })).toThrow(/UTF-8/);
});

test('writes once, at the end, when it is flushed by close()', async () => {
  const store = await opened(file(), { ...writable, flush: 'close' });
  await store.update({ k: 1 });
  await store.update({ k: 2 });
  expect(existsSync(file())).toBe(false);
  await store.close();
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual([{ k: 1 }, { k: 2 }]);
});

test('keeps its documents over close(), and reads the file again with forceReset', async () => {
  const store = await opened(file(), writable);
  await store.update({ k: 1 });
  await store.close();
  await store.connect();
  expect(await store.count()).toBe(1);
  writeFileSync(file(), '[{"k":1},{"k":2}]');
  await store.connect({ forceReset: true });
  expect(await store.count()).toBe(2);
});

test('never overwrites what somebody else wrote, and forgets the change that could not be stored', async () => {
  const [mine, theirs] = [await opened(file(), writable), await opened(file(), writable)];
  await theirs.update({ k: 'theirs' });
  await expect(mine.update({ k: 'mine' })).rejects.toThrow(StoreConflictError);
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual([{ k: 'theirs' }]);
  expect(await mine.count()).toBe(0);
  await mine.connect({ forceReset: true });
  await mine.update({ k: 'mine' });
  expect(await mine.count()).toBe(2);
  await expect(theirs.removeDocs({})).rejects.toThrow(/forceReset/);
  expect(await theirs.count()).toBe(1);
});

test('takes over the lock of a dead process, and leaves none behind', async () => {
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  const owner = { ...processMark(), pid: dead.pid };
  writeFileSync(`${file()}.lock`, JSON.stringify(owner));
  const store = await opened(file(), writable);
  await store.update({ k: 1 });
  expect(readdirSync(folder)).toEqual(['a.json']);
});

test('a writer that is killed at any moment leaves the old file or the new one', {
  timeout: 600_000,
}, async () => {
  const docs = Array.from({ length: 2000 }, (_, k) => ({ k, text: 'x'.repeat(200) }));
  const store = await opened(file(), writable);
  await store.update(docs);
  const script = `
    import { JSONStore } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    const store = new JSONStore(process.argv[1], { key: 'k', readOnly: false });
    await store.connect();
    for (let round = 1; ; round++) {
      await store.update(Array.from({ length: 2000 }, (_, k) => ({ k, round, text: 'y'.repeat(200) })));
      process.stdout.write('.');
    }`;
  const rounds = Math.max(3, Math.ceil(100 * SCALE));
  let acknowledged = 0;
  for (let i = 0; i < rounds; i++) {
    const writer = spawn(process.execPath, ['--input-type=module', '-e', script, file()]);
    let dots = 0;
    writer.stdout.on('data', (chunk: Buffer) => {
      dots += chunk.length;
    });
    let errors = '';
    writer.stderr.on('data', (chunk: Buffer) => {
      errors += chunk;
    });
    await Promise.race([once(writer.stdout, 'data'), once(writer, 'exit')]);
    expect(writer.exitCode, errors).toBe(null);
    // Anywhere in the following writes: the delay is the only thing that may vary.
    await new Promise((resolve) => setTimeout(resolve, (i * 37) % 150));
    writer.kill('SIGKILL');
    await once(writer, 'close');
    const left = JSON.parse(readFileSync(file(), 'utf8')) as { k: number; round: number }[];
    expect(left.length).toBe(2000);
    const [round = 0, ...others] = new Set(left.map((doc) => doc.round));
    expect(others).toEqual([]);
    // What was acknowledged is there, or what came after it.
    expect(round).toBeGreaterThanOrEqual(dots);
    acknowledged += dots;
  }
  console.log(`JSONStore: ${rounds} writers killed, ${acknowledged} acknowledged updates kept`);
});
