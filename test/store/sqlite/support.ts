import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import type { Doc } from '../../../src/query/document.js';
import { decodeDocument } from '../../../src/store/sqlite/document-codec.js';
import type { SqlDriver } from '../../../src/store/sqlite/driver.js';
import { loadDriver } from '../../../src/store/sqlite/driver.js';
import { indexEntries } from '../../../src/store/sqlite/index-entries.js';
import { SQLiteStore } from '../../../src/store/sqlite/sqlite-store.js';
import type { StoreOptions } from '../../../src/store/store-options.js';

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** A file that is not there yet. */
export const newFile = (): string => path.join(folder, `${++files}.db`);

/** A connected store, in a file of its own unless one is given. */
export async function opened(
  options: StoreOptions = {},
  file = newFile(),
  collection = 'docs',
): Promise<SQLiteStore> {
  const store = new SQLiteStore(file, collection, { key: 'k', ...options });
  await store.connect();
  return store;
}

/** Documents of about one kilobyte. */
export function kilobyteDocs(from: number, to: number, extra: Doc = {}): Doc[] {
  return Array.from({ length: to - from }, (_, i) => ({
    k: `key-${String(from + i).padStart(9, '0')}`,
    last_updated: new Date(1_600_000_000_000 + from + i),
    state: ['done', 'failed', 'new'][(from + i) % 3],
    list: Array.from({ length: 20 }, (_, n) => (from + i) * n),
    nested: { a: { b: from + i, text: 'lorem ipsum '.repeat(20) } },
    text: 'x'.repeat(450),
    ...extra,
  }));
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Another process with a store: what `body` is, in a function of `store` and `process`. */
export interface OtherProcess {
  readonly pid: number;
  /** All that it has printed so far. */
  output(): string;
  /** Resolves when it has printed a text, or ended. */
  printed(text: string): Promise<void>;
  kill(): void;
  /** Resolves with its exit code when it has ended. */
  readonly ended: Promise<number | null>;
}

/** Runs code in a process of its own, on the sources. */
export function inOtherProcess(code: string, ...flags: readonly string[]): OtherProcess {
  const from = (file: string) => JSON.stringify(new URL(`../../../${file}`, import.meta.url).href);
  const script = `
    const { SQLiteStore } = await import(${from('src/store/sqlite/sqlite-store.ts')});
    ${code}`;
  const child = spawn(
    process.execPath,
    [...flags, '--import', 'tsx', '--input-type=module', '--eval', script],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 1_200_000,
    },
  );
  let output = '';
  let waiting: (() => void)[] = [];
  const wake = () => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      wake();
    });
  let isEnded = false;
  const ended = new Promise<number | null>((resolve) =>
    child.on('close', (code) => {
      isEnded = true;
      wake();
      resolve(code);
    }),
  );
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async printed(text) {
      while (!output.includes(text) && !isEnded)
        await new Promise<void>((resolve) => waiting.push(resolve));
    },
    kill: () => child.kill('SIGKILL'),
    ended,
  };
}

/** Opens a file as any other program would. */
export async function rawFile(file: string): Promise<SqlDriver> {
  const openDriver = await loadDriver();
  return openDriver(file);
}

/** Makes sure that a file is whole, and that its indexes hold exactly what its documents say. */
export async function expectConsistent(file: string): Promise<void> {
  const db = await rawFile(file);
  const rows = <Row>(sql: string): Row[] => db.prepare(sql).all() as Row[];
  expect(rows<{ integrity_check: string }>('PRAGMA integrity_check')).toMatchObject([
    { integrity_check: 'ok' },
  ]);
  type Row = { id: number; body: string; repairs: string | null };
  for (const { number, size } of rows<{ number: number; size: number }>(
    'SELECT * FROM maggma_collections',
  )) {
    const docs = rows<Row>(`SELECT * FROM maggma_docs_${number}`);
    expect(docs.length).toBe(size);
    for (const index of rows<{ number: number; path: string }>(
      `SELECT * FROM maggma_indexes WHERE collection = ${number}`,
    )) {
      const text = (id: number, value: Uint8Array, roles: number) =>
        `${id} ${Buffer.from(value).toString('hex')} ${roles}`;
      const wanted = docs.flatMap((row) =>
        indexEntries(decodeDocument(row), JSON.parse(index.path)).map(({ value, roles }) =>
          text(row.id, value, roles),
        ),
      );
      const found = rows<{ id: number; value: Uint8Array; roles: number }>(
        `SELECT * FROM maggma_index_${index.number}`,
      ).map(({ id, value, roles }) => text(id, value, roles));
      expect(found.sort()).toEqual(wanted.sort());
    }
  }
  db.close();
}
