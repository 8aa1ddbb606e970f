import path from 'node:path';
import type { CommandOutput } from './command-output.js';
import { COMMANDS } from './commands.js';
import type { Completed, Flag, Value } from './completion-scripts.js';
import { bashScript, fishScript, zshScript } from './completion-scripts.js';
import { ExitCode } from './exit-code.js';
import type { CommandName, OptionSpec } from './option-table.js';
import { COMMAND_NAMES, OPTIONS, optionsOf } from './option-table.js';
import { oneLine } from './printable.js';
import { didYouMean } from './suggest.js';

const SHELLS = { bash: bashScript, fish: fishScript, zsh: zshScript };

/**
 * Prints the script that makes a shell complete `mrun`: its commands, options, their values, and files.
 *
 * The script is complete in itself, so that the Tab key does not start Node.
 *
 * @param shell - Its name; without, the one that the variable SHELL names.
 */
export async function printCompletion(
  shell: string | undefined,
  output: CommandOutput,
): Promise<ExitCode> {
  const name = shell ?? path.basename(process.env['SHELL'] ?? '');
  const shells = Object.keys(SHELLS);
  if (!Object.hasOwn(SHELLS, name)) {
    const advice = `expected one of ${shells.join(', ')}${didYouMean(name, shells)}`;
    output.note(`mrun: no completion for the shell "${oneLine(name)}": ${advice}\n`);
    return ExitCode.Usage;
  }
  await output.write(SHELLS[name as keyof typeof SHELLS](describeCommands()));
  return ExitCode.Ok;
}

function describeCommands(): Completed[] {
  const names: readonly CommandName[] = ['run', ...COMMAND_NAMES];
  const described = names.map((name) => {
    const { description, operands } = COMMANDS[name];
    const own = optionsOf(name).map((key) => flagOf(OPTIONS[key]));
    const flags = [
      ...own,
      ...(own.length > 0 ? CONFIG : []),
      ...(name === 'run' ? VERSION : []),
      ...HELP,
    ];
    return { name, description, flags, operand: kindOf(operands[0]) };
  });
  return [
    ...described,
    {
      name: 'help',
      description: 'print the help of a command',
      flags: HELP,
      operand: COMMAND_NAMES,
    },
  ];
}

function flagOf({ flags, description, choices, isPath, isCount = false }: OptionSpec): Flag {
  const [, short, long = '', value] = /^(?:(-\w), )?(--[\w-]+)( <)?/.exec(flags) ?? [];
  const kind = choices ?? (isPath ? 'file' : 'anything');
  return { short, long, description, isCount, value: value === undefined ? 'nothing' : kind };
}

const plain = (long: string, description: string): Flag => ({
  short: undefined,
  long,
  description,
  value: 'nothing',
  isCount: false,
});
const CONFIG: readonly Flag[] = [
  { ...plain('--config', 'take options from this file'), value: 'file' },
  plain('--no-config', 'take options from no file'),
];
const VERSION = [plain('--version', 'print the version')];
const HELP = [{ ...plain('--help', 'print the help'), short: '-h' }];

function kindOf(operand: string): Value {
  if (operand === '[shell]') return Object.keys(SHELLS);
  return operand === '[folder]' ? 'folder' : 'file';
}
