import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { CommandOutput } from '../../src/cli/command-output.js';
import { formatError } from '../../src/cli/report-error.js';
import { showStatus } from '../../src/cli/status.js';
import type { Doc } from '../../src/index.js';
import { JSONStore, ObjectId } from '../../src/index.js';
import { MEMORY } from './mrun-process.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-status-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

/** A file that describes a JSONStore with documents in it. */
async function storeFile(docs: readonly Doc[]): Promise<string> {
  const data = path.join(folder, `${++files}.data.json`);
  await using store = new JSONStore(data, { key: '_id', readOnly: false });
  await store.connect();
  await store.update(docs.map((doc) => ({ _id: new ObjectId(), ...doc })));
  return write({ ...MEMORY, '@class': 'JSONStore', paths: data, key: '_id' });
}

function write(content: unknown): string {
  const file = path.join(folder, `${++files}.json`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

interface Shown {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function show(file: string, others: object = {}, columns?: number): Promise<Shown> {
  const written = { out: '', err: '' };
  const output: CommandOutput = {
    async write(text) {
      written.out += text;
    },
    note(text) {
      written.err += text;
    },
    misuse() {},
    fail(error) {
      written.err += formatError(error);
    },
    columns,
  };
  const code = await showStatus({ file, ...others }, output);
  return { code, ...written };
}

/** The documents of a build of long ago, which failed. */
const past = (i: number, builder = 'OldBuilder'): Doc[] => [
  {
    ...{ event: 'BUILD_STARTED', build_id: `old-${i}`, builder, total: 12 },
    ...{ last_updated: new Date(1e12 + i), machine: '0123456789', sources: ['a'], targets: ['b'] },
    ...{ heartbeat: new Date(1e12 + i + 10_000), heartbeat_ms: 10_000, processed: 5, failed: 1 },
  },
  {
    ...{ event: 'BUILD_ENDED', build_id: `old-${i}`, builder, status: 'failed' },
    ...{ last_updated: new Date(1e12 + i + 90_000), duration_ms: 90_000 },
    ...{ processed: 9, failed: 2, invalid: 1 },
    error: { name: 'Error', message: 'mongodb://me:hunter2@host is gone' },
  },
];

const table = ({ out }: Shown): string[][] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

test('builds are the lines of a table', async () => {
  const [killed = {}] = past(5, 'KilledBuilder');
  const shown = await show(await storeFile([...past(1), killed]));
  expect(shown).toMatchObject({ code: 0, err: '' });
  const rows = table(shown).map((row) => row.filter((_, c) => c !== row.length - 2));
  expect(rows).toEqual([
    ['builder', 'state', 'done', 'failed', 'items/s', 'time', 'remaining', 'machine'],
    ['KilledBuilder', 'dead', '5 of 12 (41%)', '1', '0.5', '10.0 s', '01234567'],
    ['OldBuilder', 'failed', '9 of 12', '3', '0.1', '1 min 30 s', '01234567'],
  ]);
});

test('the newest 20 are shown, or all', async () => {
  const file = await storeFile(Array.from({ length: 30 }, (_, i) => past(i)).flat());
  const newest = await show(file);
  expect(table(newest)).toHaveLength(21);
  expect(newest.err).toBe('the newest 20 builds (--all shows all)\n');
  const all = await show(file, { all: true });
  expect(table(all)).toHaveLength(31);
  expect(all.err).toBe('');
});

test('as JSON each build is an object with the names that documents have, and no password', async () => {
  const { out, err } = await show(await storeFile(past(1)), { json: true });
  expect(err).toBe('');
  expect(out.match(/\n/g)).toHaveLength(1);
  expect(JSON.parse(out)).toEqual({
    ...{ build_id: 'old-1', builder: 'OldBuilder', machine: '0123456789' },
    ...{ state: 'ended', status: 'failed', sources: ['a'], targets: ['b'] },
    ...{ started_at: '2001-09-09T01:46:40.001Z', ended_at: '2001-09-09T01:48:10.001Z' },
    ...{ seen_at: '2001-09-09T01:48:10.001Z', duration_ms: 90_000, remaining_ms: null },
    ...{ total: 12, processed: 9, succeeded: null, failed: 2, skipped: null, invalid: 1 },
    ...{ errors: null, warnings: null, items_per_second: 0.1 },
    error: { name: 'Error', message: 'mongodb://me:***@host is gone' },
  });
});

test.each([120, 60, 40, 20, 5])('a terminal of %i columns holds it', async (columns) => {
  const file = await storeFile(past(1, 'ABuilderWithAVeryLongNameThatNoTerminalHasRoomFor'));
  const { out } = await show(file, {}, columns);
  const lines = out.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
});

test('a narrow terminal shows fewer columns, and those whole', async () => {
  const file = await storeFile(past(1));
  const headings = async (columns: number) => {
    const { out } = await show(file, {}, columns);
    return out
      .split('\n')[0]
      ?.split(/ {2,}/)
      .map((heading) => heading.trim());
  };
  expect(await headings(60)).toEqual(['builder', 'state', 'done', 'failed', 'time', 'remaining']);
  expect(await headings(40)).toEqual(['builder', 'state', 'done', 'failed']);
  expect(await headings(20)).toEqual(['builder', 'state']);
  expect((await show(file, {}, 20)).out.split('\n')[1]).toBe('OldBuilder  failed');
});

test('nothing recorded is said', async () => {
  const file = write(MEMORY);
  const err = 'no builds are recorded in mem://memory_db\n';
  expect(await show(file)).toEqual({ code: 0, out: '', err });
  expect(await show(file, { json: true })).toEqual({ code: 0, out: '', err });
});

test('a file that is no store is told from a store that cannot be read', async () => {
  expect(await show(path.join(folder, 'missing.json'))).toMatchObject({ code: 2, out: '' });
  const other = await show(write({ a: 1 }));
  expect(other.code).toBe(2);
  expect(other.err).toMatch(/expected a store, it holds an object with a\n$/);
  const lost = await show(write({ ...MEMORY, '@class': 'JSONStore', paths: 'missing.json' }));
  expect(lost.code).toBe(1);
  expect(lost.err).toMatch(/^mrun: Cannot connect json:\/\/missing\.json/);
});
