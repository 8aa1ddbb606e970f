import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openReporter } from '../../src/cli/reporting-store.js';
import { FileFormatError, Reporter } from '../../src/index.js';
import { MEMORY } from './mrun-process.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-reporting-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

function write(content: unknown): string {
  const file = path.join(folder, `${++files}.json`);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const jsonStore = (paths: string, others: object = {}): object => ({
  ...MEMORY,
  '@class': 'JSONStore',
  paths,
  key: '_id',
  read_only: false,
  ...others,
});

const sqliteStore = (file: string): object => ({
  '@module': 'maggma_ts.stores',
  '@class': 'SQLiteStore',
  '@version': null,
  path: file,
  collection_name: 'builds',
});

test.each([
  ['a MemoryStore', MEMORY],
  ['a JSONStore whose file is not there', jsonStore(path.join(folder, 'new.json'))],
  ['a SQLiteStore whose file is not there', sqliteStore(path.join(folder, 'new.db'))],
  [
    'a server that nobody can reach',
    {
      ...MEMORY,
      '@class': 'MongoStore',
      database: 'd',
      collection_name: 'c',
      host: 'no.such.host',
    },
  ],
])('takes %s', async (_, content) => {
  expect(await openReporter(write(content))).toBeInstanceOf(Reporter);
});

test.each([
  ['plain data', { a: 1 }, /expected a store, it holds an object with a$/],
  ['several stores', [MEMORY, MEMORY], /expected one store, it holds a list$/],
  ['no JSON', '{ torn', /line 1/],
  ['an unknown class', { ...MEMORY, '@class': 'MemoryStroe' }, /MemoryStroe/],
  ['bad options', { ...MEMORY, key: 5 }, /`key`/],
  [
    'a read-only store',
    jsonStore('x.json', { read_only: true }),
    /json:\/\/x\.json, it is read-only: set "read_only" to false$/,
  ],
  [
    'a JSONStore with a key that events lack',
    jsonStore('x.json', { key: 'task_id' }),
    /no field "task_id", .* set "key" to "_id"$/,
  ],
  [
    'a JSONStore in no folder',
    jsonStore('/no/such/x.json'),
    /json:\/\/\/no\/such\/x\.json cannot be written: there is no folder \/no\/such$/,
  ],
  ['a SQLiteStore in no folder', sqliteStore('/no/such/x.db'), /there is no folder \/no\/such$/],
  ['a folder', jsonStore(folder), /cannot be written: .* is a folder$/],
])('refuses %s, by the name of the file', async (_, content, problem) => {
  const file = write(content);
  const error = await openReporter(file).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileFormatError);
  expect((error as Error).message).toMatch(problem);
  expect((error as Error).message.startsWith(`${file}: `)).toBe(true);
});
