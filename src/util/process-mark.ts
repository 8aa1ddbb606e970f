import { hostname } from 'node:os';
import { isAlive } from './is-alive.js';
import { pidScope } from './machine.js';

/** What a process says of itself beside what it holds, for those who want it, too. */
export interface ProcessMark {
  readonly host: string;
  readonly pid: number;
  /** Where `pid` means the same: see {@link pidScope}. */
  readonly pidScope: string;
  /** When it took what it holds, as ISO 8601. */
  readonly since: string;
}

/** Not asked for when it is needed: the clock may have been set since. */
const startedAt = Date.now() - process.uptime() * 1000;

/** The mark of this process, as of now. */
export function processMark(): ProcessMark {
  const since = new Date().toISOString();
  return { host: hostname(), pid: process.pid, pidScope: pidScope(), since };
}

/** Tells whether a process is known to have ended. One that cannot be looked for from here is not. */
export function hasEnded({
  pid,
  pidScope: scope,
  since,
}: Pick<ProcessMark, 'pid' | 'pidScope'> & Partial<ProcessMark>): boolean {
  const [place, start] = pidScope().split('-');
  const [itsPlace, itsStart] = String(scope).split('-');
  if (itsPlace !== place) return false;
  // No process outlives its machine.
  if (itsStart !== start) return true;
  if (pid !== process.pid) return !isAlive(pid);
  // In a container, one process after the other has the same number.
  return since !== undefined && Date.parse(since) < startedAt;
}
