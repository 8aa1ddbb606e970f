import { execFileSync } from 'node:child_process';

/** 0.05 in ordinary runs, 1 for all of it. */

/**
 * Processes whose parent is `pid`, each as `<pid> <state> <command line>`; without the compiler of tsx, which lives as
 * long as the process that has it.
 */
export function childrenOf(pid: number): string[] {
  const table = execFileSync('ps', ['-eo', 'ppid=,pid=,stat=,args='], { encoding: 'utf8' });
  return table
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, parent]) => Number(parent) === pid)
    .filter(([, , , , command = '']) => !command.startsWith('ps ') && !command.includes('esbuild'))
    .map(([, , child, state, command]) => `${child} ${state} ${command}`);
}
