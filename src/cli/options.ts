import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Isolation } from '../util/option-values.js';
import { ownManifest } from '../util/own-files.js';
import { COMMANDS } from './commands.js';
import { ExitCode } from './exit-code.js';
import type { CommandName, LogFormat, OptionKey, OptionSpec } from './option-table.js';
import { COMMAND_NAMES, OPTIONS, optionsOf, wordsOf } from './option-table.js';
import { oneLine } from './printable.js';
import { didYouMean } from './suggest.js';

/** How builders are to be run. What was not asked for is absent: the library has the defaults. */
export interface RunRequest {
  readonly files: readonly string[];
  /** How many times `-v` was given. */
  readonly verbosity: number;
  readonly noBars?: boolean;
  readonly logFormat?: LogFormat;
  /** A file with the store that receives what happens. */
  readonly reporting?: string;
  readonly numWorkers?: number;
  readonly isolation?: Isolation;
  readonly maxWorkerMemoryMb?: number;
  readonly parallelBuilders?: boolean;
  readonly failFast?: boolean;
  readonly maxFailures?: number;
  /** How often an item that failed is tried again. */
  readonly retries?: number;
  readonly fullRefresh?: boolean;
  /** Take targets over from whoever builds them. */
  readonly steal?: boolean;
  /** Where manager and workers meet. */
  readonly url?: string;
  /** Into how many chunks the manager cuts each builder. */
  readonly numChunks?: number;
  readonly secretFile?: string;
  readonly leaseMs?: number;
  readonly workerTimeoutMs?: number;
  readonly chunkTimeoutMs?: number;
  readonly retryDead?: boolean;
  readonly keepAlive?: boolean;
  readonly managerTimeoutMs?: number;
  readonly allow?: readonly string[];
  /** Show what would be done, and do nothing. */
  readonly plan?: boolean;
  /** The plan for machines. */
  readonly json?: boolean;
  /** What was odd about the options. */
  readonly warnings?: readonly string[];
}

/** What the command line says. */
export interface CommandLine {
  readonly command: CommandName;
  readonly operands: readonly string[];
  /** The options that it names; `false` for one that it takes back. */
  readonly given: Readonly<Partial<Record<OptionKey, unknown>>>;
  /** The config file, `false` when there shall be none; without, it is looked for. */
  readonly config: string | false | undefined;
}

/** Where the command's own words go. */
export interface Words {
  out(text: string): void;
  err(text: string): void;
}

const MORE_HELP = `
A builder file is what dumpfn() wrote (.json, .yaml or .yml, also with .gz), or a
script (.js, .mjs, .cjs, .ts, .mts, .cts) that exports \`__builders__\` (a list),
\`__builder__\` or a default. Builders run in the order given.

Every option may also stand in mrun.config.json (or .yaml), in the key "mrun" of
package.json, and in a variable (MAGGMA_NUM_WORKERS); --no-... takes it back.

Examples:
  mrun builder.json
  mrun -v first.json second.ts
  mrun -n 4 builder.json
  mrun --url tcp://127.0.0.1:5555 -N 50 builder.json   (a manager)
  mrun --url tcp://127.0.0.1:5555 -n 8                 (a worker, with 8 slots)

Exit codes: 0 all is built, 1 a build failed, 2 wrong usage, 3 items failed,
130 interrupted, 143 terminated`;

/**
 * Reads the command line.
 *
 * @param argv - The arguments, without node and the script.
 * @returns What to do, or the code to exit with when everything has been said.
 */
export function parseArguments(argv: readonly string[], words: Words): CommandLine | ExitCode {
  let parsed: CommandLine | undefined;
  const program = createProgram(words, (line) => {
    parsed = line;
  });
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
  }
  return parsed ?? ExitCode.Usage;
}

function createProgram({ out, err }: Words, onParsed: (line: CommandLine) => void): Command {
  const program = new Command('mrun')
    .usage('[options] <builders...>\n       mrun <command> [options]')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', MORE_HELP)
    .configureHelp({ subcommandTerm: termOf })
    .exitOverride()
    .configureOutput({
      writeOut: out,
      writeErr: err,
      outputError: (message, write) => write(`mrun: ${oneLine(message.replace(/^error: /, ''))}\n`),
    });
  fill(program, 'run', onParsed);
  program.version(ownManifest().version, '--version', 'print the version');
  for (const name of COMMAND_NAMES) fill(program.command(name), name, onParsed);
  program
    .command('help [command]')
    .description('print the help of a command')
    .action((name?: string) => printHelp(program, name));
  return program;
}

/** Gives a command what the tables say of it. */
function fill(command: Command, name: CommandName, onParsed: (line: CommandLine) => void): void {
  const { description, operands } = COMMANDS[name];
  command.description(description).argument(...operands);
  const options = optionsOf(name);
  for (const key of options) addOption(command, key, OPTIONS[key]);
  if (options.length > 0)
    command
      .option('--config <file>', 'take options from this file')
      .option('--no-config', 'take options from no file');
  command.action(() => {
    if (Object.keys(command.parent?.opts() ?? {}).length > 0)
      command.error(`error: the options of a command stand after it (mrun ${name} --help)`);
    const { config = options.length > 0 ? undefined : false, ...given } = command.opts<
      CommandLine['given'] & Pick<CommandLine, 'config'>
    >();
    onParsed({ command: name, operands: command.args, given, config });
  });
}

/** Adds an option and its opposite, of which the help shows the one that `flags` has. */
function addOption(command: Command, key: OptionKey, spec: OptionSpec): void {
  const { flags, description, isSwitch, isCount, isList } = spec;
  const option = new Option(flags, description);
  if (isCount) option.argParser<number | false>((_, count) => (count || 0) + 1);
  else if (!isSwitch)
    option.argParser<unknown>((text, before) => {
      const value = spec.parse(text);
      if (value === undefined) throw new InvalidArgumentError(`Expected ${spec.expected}.`);
      return isList && Array.isArray(before) ? [...before, ...(value as unknown[])] : value;
    });
  const opposite = new Option(`--${option.negate ? '' : 'no-'}${wordsOf(key)}`).hideHelp();
  // Commander gives `--no-x` a default when it does not know `--x` yet.
  const inOrder = option.negate ? [opposite, option] : [option, opposite];
  for (const each of inOrder) command.addOption(each);
}

/** Without the `[options]` that all have. */
function termOf(command: Command): string {
  const operands = command.registeredArguments.map((each) =>
    each.variadic ? `[${each.name()}...]` : `[${each.name()}]`,
  );
  return [command.name(), ...operands].join(' ');
}

function printHelp(program: Command, name: string | undefined): void {
  if (name === undefined) program.help();
  const command = program.commands.find((each) => each.name() === name);
  if (command !== undefined) command.help();
  program.error(`error: there is no command '${name}'${didYouMean(name ?? '', COMMAND_NAMES)}`);
}
