import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { RunLockedError, RunStateError } from '../../../errors/distributed-errors.js';
import { writeFileAtomic } from '../../../util/atomic-write.js';
import { holdFileLock } from '../../../util/file-lock.js';
import type { JournalEntry, RunEntry } from './run-history.js';
import { JOURNAL_VERSION, RunHistory } from './run-history.js';

const READ_BYTES = 2 ** 20;
const LINE_END = 10;
const fdatasyncAsync = promisify(fdatasync);

/**
 * The file in which a manager remembers its run, a line per entry; nobody else may have it open.
 *
 * What was appended survives the process; what was synced survives the machine.
 */
export class Journal {
  readonly #file: string;
  readonly #unlock: () => void;
  #fd: number;
  #isDirty = false;
  #running = Promise.resolve();
  #queued: Promise<void> | undefined;

  private constructor(file: string, fd: number, unlock: () => void) {
    this.#file = file;
    this.#fd = fd;
    this.#unlock = unlock;
  }

  /**
   * Opens the journal of a run, a new one if there is none, and reads it.
   *
   * @param run - A label for people.
   * @throws {@link RunLockedError} when another manager has it.
   * @throws {@link RunStateError} when it cannot be read, or was written by another version.
   */
  static open(file: string, run: string): { journal: Journal; history: RunHistory } {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const unlock = holdFileLock(file, (problem) => new RunLockedError(run, problem));
    let fd: number | undefined;
    try {
      fd = openSync(file, 'a+', 0o600);
      const history = read(fd, file);
      return { journal: new Journal(file, fd, unlock), history };
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      unlock();
      throw error;
    }
  }

  /** Begins anew: nothing is left but this. */
  restart(entry: RunEntry): void {
    this.#attempt(() => {
      writeFileAtomic(this.#file, toLine(entry), 0o600);
      closeSync(this.#fd);
      this.#fd = openSync(this.#file, 'a', 0o600);
    });
  }

  append(...entries: readonly JournalEntry[]): void {
    this.#isDirty = true;
    this.#attempt(() => write(this.#fd, entries.map(toLine).join('')));
  }

  /** Resolves when everything that was appended is durable. */
  sync(): Promise<void> {
    if (!this.#isDirty) return this.#running;
    // Whatever is appended while the disk is at work shares the next turn.
    this.#queued ??= this.#running.then(() => this.#syncNow());
    return this.#queued;
  }

  /** Leaves it to another manager. */
  async close(): Promise<void> {
    // Whoever waits for the disk hears of a failure itself.
    await this.sync().catch(() => undefined);
    closeSync(this.#fd);
    this.#unlock();
  }

  /** The run is over: nothing is left of it. */
  remove(): void {
    rmSync(this.#file, { force: true });
  }

  async #syncNow(): Promise<void> {
    this.#queued = undefined;
    this.#isDirty = false;
    this.#running = fdatasyncAsync(this.#fd).catch((error: unknown) => {
      throw this.#broken(error);
    });
    await this.#running;
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw this.#broken(error);
    }
  }

  #broken(cause: unknown): RunStateError {
    return new RunStateError(
      `${this.#file} cannot be written: ${String(cause)}; when that is mended, start the manager again: it goes on with the run`,
      { cause },
    );
  }
}

function read(fd: number, file: string): RunHistory {
  const history = new RunHistory();
  let end = 0;
  for (const line of lines(fd)) {
    end += line.length + 1;
    let entry: JournalEntry;
    try {
      entry = JSON.parse(line.toString('utf8')) as JournalEntry;
    } catch (cause) {
      throw new RunStateError(
        `${file} is damaged before byte ${end}: delete it, and the run begins anew`,
        { cause },
      );
    }
    if (entry.type === 'run' && entry.v !== JOURNAL_VERSION)
      throw new RunStateError(
        `${file} has format ${entry.v}, expected ${JOURNAL_VERSION}: end the run with the version of maggma that began it, or delete the file`,
      );
    history.add(entry);
  }
  // The rest is a line that a crash cut short.
  ftruncateSync(fd, end);
  fdatasyncSync(fd);
  return history;
}

/** Complete lines, without their ends. A journal may be longer than the longest string. */
function* lines(fd: number): Generator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    const length = readSync(fd, chunk, 0, READ_BYTES, position);
    if (length === 0) return;
    position += length;
    let start = 0;
    for (;;) {
      const end = chunk.subarray(0, length).indexOf(LINE_END, start);
      if (end < 0) break;
      yield Buffer.concat([...parts, chunk.subarray(start, end)]);
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start, length));
  }
}

function toLine(entry: JournalEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

function write(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
