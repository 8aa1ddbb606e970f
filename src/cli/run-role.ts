import type { OptionSpec } from './option-table.js';
import { OPTIONS, optionsOf } from './option-table.js';
import type { Settings } from './settings.js';

/** What a run is: all of it, the manager of a distributed one, or one of its workers. */
export type RunRole = 'local' | 'manager' | 'worker';

/** What makes a run what it is. */
const DESCRIPTIONS: Readonly<Record<RunRole, string>> = {
  local: 'a run on this machine (without --url)',
  manager: 'a manager (--url with -N)',
  worker: 'a worker (--url without files and -N)',
};

/**
 * Tells what a run is.
 *
 * @param operands - The builder files that were named; those of a config file say nothing.
 */
export function roleOf(operands: readonly string[], { values }: Settings): RunRole {
  if (values.url === undefined) return 'local';
  return values.numChunks === undefined && operands.length === 0 ? 'worker' : 'manager';
}

/**
 * What is wrong with the options of a run, and what would be right; undefined when nothing is. What variables and config
 * files say for other roles is for these.
 */
export function whyMisused(role: RunRole, { values, origins }: Settings): string | undefined {
  if (role === 'local' && origins.numChunks === 'command line' && values.numChunks !== undefined)
    return '-N needs --url, where workers find the manager: --url tcp://127.0.0.1:5555';
  if (role === 'manager' && values.numChunks === undefined)
    return '--url with builder files needs -N, the number of chunks; a worker takes no files, and --no-url runs them here';
  const misplaced = optionsOf('run').find((key) => {
    const { roles = [role] }: OptionSpec = OPTIONS[key];
    const isGiven = values[key] !== undefined && values[key] !== false;
    return isGiven && origins[key] === 'command line' && !roles.includes(role);
  });
  if (misplaced === undefined) return undefined;
  const { flags, roles = [] }: OptionSpec = OPTIONS[misplaced];
  const [name] = /--[\w-]+/.exec(flags) ?? [];
  const proper = roles.map((each) => DESCRIPTIONS[each]).join(' or ');
  return `${name} is for ${proper}; this is ${DESCRIPTIONS[role]}`;
}
