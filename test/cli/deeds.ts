import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Doc } from 'maggma';
import { SQLiteStore } from 'maggma';
import { expect } from 'vitest';
import { freePort } from '../free-port.js';
import { until } from '../processor/distributed/support.js';
import type { Project, Running } from './mrun-process.js';

const BUILDERS = fileURLToPath(new URL('../fixtures/distributed/builders.mjs', import.meta.url));
/** However busy the machine is. */
const PATIENCE_MS = 60_000;

/** What a document asks a DeedBuilder for: to take its time, to wait for a file, to say so in one, to go wrong. */
export interface Deed {
  readonly do?: 'throw' | 'kill' | 'wait' | '';
  readonly ms?: number;
  readonly file?: string;
  readonly awaits?: string;
}

const store = (collection_name: string) => ({
  '@module': 'maggma_ts.stores',
  '@class': 'SQLiteStore',
  '@version': null,
  path: 'data.db',
  collection_name,
  key: 'k',
});

/** An address at which nobody listens. */
export async function freeUrl(): Promise<string> {
  return `tcp://127.0.0.1:${await freePort()}`;
}

/** Fills the source with a document for each deed, and writes `b.json`: a builder that adds one to `a`, into a target. */
export async function writeDeeds(
  project: Project,
  deeds: readonly Deed[],
  target = 'built',
): Promise<string> {
  copyFileSync(BUILDERS, path.join(project.folder, 'builders.mjs'));
  const docs = deeds.map((deed, a) => ({ k: `k${a}`, a, ...deed }));
  await opened(project, 'source', (source) => source.update(docs));
  return writeBuilder(project, target);
}

/** Writes a builder into another target. */
export function writeBuilder(project: Project, target: string, name = 'b.json'): string {
  return project.write(name, {
    '@module': './builders.mjs',
    '@class': 'DeedBuilder',
    '@version': null,
    source: store('source'),
    target: store(target),
  });
}

/** What was built: `a` by key. */
export async function builtIn(project: Project, target = 'built'): Promise<Record<string, number>> {
  const docs = await opened(project, target, (opened) => opened.query().toArray());
  return Object.fromEntries(docs.map(({ k, a }: Doc) => [k, a] as const).sort());
}

/** What must be built of so many documents. */
export const allOf = (count: number): Record<string, number> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, a) => [`k${a}`, a + 1] as const).sort(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  );

/** Waits for the end of workers, which must be a good one; how many chunks they built. */
export async function chunksDone(workers: readonly Running[]): Promise<number> {
  let done = 0;
  for (const { finished } of workers) {
    const end = await finished;
    expect(end).toMatchObject({ code: 0, stdout: '' });
    const [, chunks] =
      /^Worker \S+-\d+-\w+: (\d) chunks? done; the run is over$/m.exec(end.stderr) ?? [];
    done += Number(chunks);
  }
  return done;
}

/** Waits until a manager (`-v`) has so many workers. */
export function joined(manager: Running, count: number): Promise<void> {
  const hasJoined = () => manager.stderr.match(/ joined, with /g)?.length === count;
  return manager.until(`${count} workers`, hasJoined);
}

/** Waits for a file that a deed writes. */
export function toWrite(project: Project, file: string): Promise<void> {
  return until(`${file} is there`, PATIENCE_MS, () => project.exists(file));
}

async function opened<T>(
  project: Project,
  name: string,
  action: (store: SQLiteStore) => Promise<T>,
): Promise<T> {
  const store = new SQLiteStore(path.join(project.folder, 'data.db'), name, { key: 'k' });
  await store.connect();
  try {
    return await action(store);
  } finally {
    await store.close();
  }
}
