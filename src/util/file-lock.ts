import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { ProcessMark } from './process-mark.js';
import { hasEnded, processMark } from './process-mark.js';

const WAIT_MS = 10_000;
const RETRY_MS = 20;
/** An owner writes its name at once, unless it is killed before it can. */
const NAMELESS_MS = 2000;

/**
 * Does something while holding `<file>.lock`, which other processes on any host respect.
 *
 * The lock names its owner; one whose owner is known to have ended, or died before it was named, is taken over.
 *
 * @param action - Synchronous, so that the lock is held as short as can be.
 * @param onTimeout - Makes the error when the lock is not free within ten seconds, from a text that says who holds it.
 */
export async function withFileLock<T>(
  file: string,
  action: () => T,
  onTimeout: (problem: string) => Error,
): Promise<T> {
  const lock = `${file}.lock`;
  const deadline = performance.now() + WAIT_MS;
  while (!acquire(lock)) {
    if (performance.now() > deadline) throw onTimeout(describe(lock));
    await setTimeout(RETRY_MS);
  }
  try {
    return action();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * Takes `<file>.lock` for longer; see {@link withFileLock}.
 *
 * @param onHeld - Makes the error when somebody else has it, from a text that says who.
 * @returns what frees it.
 */
export function holdFileLock(file: string, onHeld: (problem: string) => Error): () => void {
  const lock = `${file}.lock`;
  // The first attempt may have found, and removed, one whose owner is dead.
  if (!acquire(lock) && !acquire(lock)) throw onHeld(describe(lock));
  return () => rmSync(lock, { force: true });
}

function acquire(lock: string): boolean {
  try {
    const fd = openSync(lock, 'wx', 0o600);
    try {
      writeSync(fd, JSON.stringify(processMark()));
    } catch (error) {
      // A full disk: a lock without an owner would stay for good.
      rmSync(lock, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // The next attempt finds out whether it was taken by somebody else meanwhile.
    if (isStale(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isStale(lock: string): boolean {
  const owner = readOwner(lock);
  if (owner === undefined) return ageMs(lock) > NAMELESS_MS;
  return hasEnded(owner);
}

function ageMs(file: string): number {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}

/** Undefined while the owner is still writing its name, or when the lock is gone. */
function readOwner(lock: string): ProcessMark | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as ProcessMark;
  } catch {
    return undefined;
  }
}

function describe(lock: string): string {
  const owner = readOwner(lock);
  const holder = owner
    ? `process ${owner.pid} on ${owner.host} holds it since ${owner.since}`
    : 'its owner is unknown';
  return `${lock} is not free: ${holder}; if that process is gone, delete the lock`;
}
