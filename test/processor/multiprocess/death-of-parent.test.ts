import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { childrenOf } from './support.js';

const SCRIPT = fileURLToPath(new URL('../../fixtures/endless-run.ts', import.meta.url));

test.each(['thread', 'process'])(
  'no worker of isolation "%s" survives its parent for two seconds, busy as it is',
  async (isolation) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'maggma-parent-'));
    const parent = spawn(process.execPath, ['--import', 'tsx', SCRIPT, isolation, folder], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const { pid } = parent;
    if (pid === undefined) throw new TypeError('no process');
    try {
      await until('both items are at work', 30_000, () =>
        ['0', '1'].every((name) => existsSync(path.join(folder, name))),
      );
      const workers = childrenOf(pid)
        .filter((line) => line.includes('process-supervisor'))
        .map((line) => Number(line.split(' ')[0]));
      expect(workers).toHaveLength(isolation === 'process' ? 2 : 0);
      parent.kill('SIGKILL');
      const killed = performance.now();
      const all = [pid, ...workers];
      await until('no process is left', 10_000, () => !all.some(exists));
      const took = Math.round(performance.now() - killed);
      console.log(`${isolation}: all ${all.length} processes were gone ${took} ms after the kill`);
      expect(took).toBeLessThan(2000);
    } finally {
      parent.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  },
);

async function until(what: string, withinMs: number, isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new RangeError(`waited in vain until ${what}`);
    await setTimeout(20);
  }
}

/** Whether a process runs still; one that ended and waits to be collected by its new parent does not. */
function exists(pid: number): boolean {
  try {
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
    return !state.startsWith('Z');
  } catch {
    return false;
  }
}
