import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ExitCode } from './exit-code.js';
import { oneLine } from './printable.js';

/** What the command line asks for. What was not given is absent: the library has the defaults. */
export interface RunRequest {
  readonly files: readonly string[];
  /** How many times `-v` was given. */
  readonly verbosity: number;
  readonly noBars?: boolean;
  readonly failFast?: boolean;
  readonly maxFailures?: number;
}

interface Flags {
  readonly verbose?: number;
  readonly numWorkers?: number;
  readonly bars: boolean;
  readonly failFast?: true;
  readonly maxFailures?: number;
}

/** Where the command's own words go. */
export interface CommandOutput {
  out(text: string): void;
  err(text: string): void;
}

const EXAMPLES = `
A builder file is what dumpfn() wrote (.json, .yaml or .yml, also with .gz), or a
script (.js, .mjs, .cjs, .ts, .mts, .cts) that exports \`__builders__\` (a list),
\`__builder__\` or a default. Builders run in the order given.

Examples:
  mrun builder.json
  mrun -v first.json second.ts

Exit codes: 0 all is built, 1 a build failed, 2 wrong usage, 3 items failed,
130 interrupted, 143 terminated`;

/**
 * Reads the command line.
 *
 * @param argv - The arguments, without node and the script.
 * @returns What to do, or the code to exit with when everything has been said.
 */
export function parseArguments(
  argv: readonly string[],
  output: CommandOutput,
): RunRequest | ExitCode {
  const program = createProgram(output);
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
  }
  const { verbose = 0, numWorkers = 1, bars, failFast, maxFailures } = program.opts<Flags>();
  const refuse = (problem: string) => {
    output.err(`mrun: ${problem}\n`);
    return ExitCode.Usage;
  };
  if (numWorkers !== 1)
    return refuse('-n, --num-workers: several workers are not available in this version, use 1');
  if (program.args.length === 0)
    return refuse('no builder files given (usage: mrun [options] <builders...>, see mrun --help)');
  return {
    files: program.args,
    verbosity: verbose,
    ...(!bars && { noBars: true }),
    ...(failFast && { failFast }),
    ...(maxFailures !== undefined && { maxFailures }),
  };
}

function createProgram({ out, err }: CommandOutput): Command {
  return new Command('mrun')
    .description('Runs builders: brings what is derived from your data up to date.')
    .usage('[options] <builders...>')
    .argument('[builders...]', 'files that hold builders')
    .option(
      '-v, --verbose',
      'log what happens; twice: everything',
      (_, count: number = 0) => count + 1,
    )
    .option(
      '-n, --num-workers <n>',
      'workers that process items (only 1 in this version)',
      wholeNumber(1),
    )
    .option('--fail-fast', 'end a build at its first failed item')
    .option('--max-failures <n>', 'end a build when more items than this failed', wholeNumber(0))
    .option('--no-bars', 'show no progress bars')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: out,
      writeErr: err,
      outputError: (message, write) => write(`mrun: ${oneLine(message.replace(/^error: /, ''))}\n`),
    });
}

function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < minimum)
      throw new InvalidArgumentError(`Expected a whole number of at least ${minimum}.`);
    return value;
  };
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
