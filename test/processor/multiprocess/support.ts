import { execFileSync } from 'node:child_process';

/** 0.05 in ordinary runs, 1 for all of it. */
export const SCALE = Number(process.env['TEST_SCALE'] ?? 0.05);

/** Processes whose parent is `pid`, each as `<pid> <command line>`. */
export function childrenOf(pid: number): string[] {
  const table = execFileSync('ps', ['-eo', 'ppid=,pid=,stat=,args='], { encoding: 'utf8' });
  return table
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, parent, , , command]) => Number(parent) === pid && !command?.startsWith('ps '))
    .map(([, , child, state, command]) => `${child} ${state} ${command}`);
}
