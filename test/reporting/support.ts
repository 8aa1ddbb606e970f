import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Doc, LogEntry, Store } from '../../src/index.js';
import { logTo } from '../../src/index.js';

const DEADLINE_MS = 60_000;

/** A folder for one test, and what is logged while it runs. */
export class Setting implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'maggma-reporting-'));
  readonly spoolFolder = path.join(this.folder, 'spool');
  readonly log: LogEntry[] = [];
  readonly #endLog = logTo((entry) => this.log.push(entry));

  /** What the Reporter said, as `level: message`. */
  get said(): string[] {
    return this.log
      .filter(({ logger }) => logger === 'Reporter')
      .map(({ level, message }) => `${level}: ${message}`);
  }

  /** What was said at least as warnings. */
  get complaints(): string[] {
    return this.said.filter((line) => !line.startsWith('info: '));
  }

  /** The files in the spool folder. */
  get spools(): string[] {
    if (!existsSync(this.spoolFolder)) return [];
    return readdirSync(this.spoolFolder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => path.join(this.spoolFolder, name));
  }

  /** The documents that wait in the spool. */
  get spooled(): Doc[] {
    return this.spools
      .flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as Doc);
  }

  [Symbol.dispose](): void {
    this.#endLog();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Asks again and again until something is as expected. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await setTimeout(10);
  }
}

/** All documents of a store, in the order of their writing. */
export async function eventsOf(store: Store): Promise<Doc[]> {
  if (!store.connected) await store.connect();
  return store.query({}, { sort: { _id: 1 } }).toArray();
}

/** The events of a store as texts: `UPDATE 2`. */
export async function essenceOf(store: Store): Promise<string[]> {
  return (await eventsOf(store)).map(({ event, items, status }) =>
    [event, items ?? status].filter((part) => part !== undefined).join(' '),
  );
}
