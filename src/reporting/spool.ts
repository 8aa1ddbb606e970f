import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { EJSON } from 'bson';
import type { Doc } from '../query/document.js';
import { pidScope } from '../util/machine.js';
import { hasEnded } from '../util/process-mark.js';

const SUFFIX = '.jsonl';
/** Whoever owns a file touches it far more often. */
const ABANDONED_MS = 600_000;

/**
 * A file with documents that their store could not take yet, one a line, in extended JSON.
 *
 * Its name says who is at work on it: `<id>.jsonl` is free, `<id>.<scope>.<pid>.jsonl` belongs to a process. It is
 * taken over and let go by renaming, which only one process can do.
 */
export class Spool {
  /** Lines that could not be read, because a process died while it wrote them. */
  torn = 0;
  readonly #folder: string;
  readonly #id: string;
  #isEmpty: boolean;

  private constructor(folder: string, id: string, isEmpty: boolean) {
    this.#folder = folder;
    this.#id = id;
    this.#isEmpty = isEmpty;
  }

  /** A new one for this process; the file is made with the first document. */
  static create(folder: string): Spool {
    return new Spool(folder, randomUUID(), true);
  }

  /** Takes over what is free, or whose owner is gone; the oldest first. */
  static takeOver(folder: string): Spool[] {
    return filesIn(folder)
      .filter(({ name, changedMs }) => isFree(name, changedMs))
      .sort((a, b) => a.changedMs - b.changedMs)
      .flatMap(({ name }) => {
        const [id = name] = name.split('.');
        const spool = new Spool(folder, id, false);
        return move(path.join(folder, name), spool.file) ? [spool] : [];
      });
  }

  get file(): string {
    return path.join(this.#folder, `${this.#id}.${pidScope()}.${process.pid}${SUFFIX}`);
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /**
   * Adds documents, all of them or none.
   *
   * @throws what the file system says.
   */
  append(docs: readonly Doc[]): void {
    if (docs.length === 0) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const lines = docs.map((doc) => `${EJSON.stringify(doc)}\n`);
    appendWhole(this.file, Buffer.from(lines.join('')));
    this.#isEmpty = false;
  }

  /** Shows other processes that the file has an owner. */
  touch(): void {
    if (this.#isEmpty) return;
    const now = new Date();
    ifThere(() => utimesSync(this.file, now, now));
  }

  /** Yields the documents in their order; of those with one `_id` in a batch the last, in the place of the first. */
  async *batches(size: number): AsyncGenerator<Doc[], void, undefined> {
    this.torn = 0;
    let batch = new Map<string, Doc>();
    for await (const line of linesOf(this.file)) {
      const doc = parse(line);
      if (doc === undefined) this.torn++;
      else batch.set(String(doc['_id']), doc);
      if (batch.size < size) continue;
      yield [...batch.values()];
      batch = new Map();
    }
    if (batch.size > 0) yield [...batch.values()];
  }

  /** Everything is where it belongs. */
  remove(): void {
    rmSync(this.file, { force: true });
    this.#isEmpty = true;
  }

  /** Leaves the file to whoever comes next. */
  release(): void {
    if (!this.#isEmpty) move(this.file, path.join(this.#folder, `${this.#id}${SUFFIX}`));
  }
}

/** The folder for documents of one store. */
export function spoolFolderOf(identity: string, folder: string): string {
  const digest = createHash('sha256').update(identity).digest('hex');
  return path.join(folder, digest.slice(0, 32));
}

/** How many documents wait in a folder. */
export async function countWaiting(folder: string): Promise<number> {
  let count = 0;
  for (const { name } of filesIn(folder))
    for await (const _ of linesOf(path.join(folder, name))) count++;
  return count;
}

interface SpoolFile {
  readonly name: string;
  readonly changedMs: number;
}

function filesIn(folder: string): SpoolFile[] {
  const entries = ifThere(() => readdirSync(folder)) ?? [];
  return entries
    .filter((name) => name.endsWith(SUFFIX))
    .flatMap((name) => {
      const stats = statSync(path.join(folder, name), { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ name, changedMs: stats.mtimeMs }];
    });
}

function isFree(name: string, changedMs: number): boolean {
  const [, scope, pid] = name.slice(0, -SUFFIX.length).split('.');
  if (scope === undefined || Date.now() - changedMs > ABANDONED_MS) return true;
  return hasEnded({ pid: Number(pid), pidScope: scope });
}

/** Renames a file, unless somebody else was faster. */
function move(from: string, to: string): boolean {
  const moved = ifThere(() => {
    renameSync(from, to);
    return true;
  });
  return moved === true;
}

function ifThere<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** None for a file that somebody took over. */
async function* linesOf(file: string): AsyncGenerator<string, void, undefined> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (rest !== '') yield rest;
}

function appendWhole(file: string, bytes: Buffer): void {
  const fd = openSync(file, 'a', 0o600);
  try {
    const { size } = fstatSync(fd);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    } catch (error) {
      // A full disk takes a part: the next line must not begin in the middle of another.
      ftruncateSync(fd, size);
      throw error;
    }
  } finally {
    closeSync(fd);
  }
}

function parse(line: string): Doc | undefined {
  try {
    const doc = EJSON.parse(line) as Doc;
    return doc['_id'] === undefined ? undefined : doc;
  } catch {
    return undefined;
  }
}
