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
  readonly numWorkers?: number;
  readonly isolation?: Isolation;
  readonly maxWorkerMemoryMb?: number;
  readonly parallelBuilders?: boolean;
  readonly failFast?: boolean;
  readonly maxFailures?: number;
  /** How often an item that failed is tried again. */
  readonly retries?: number;
  readonly fullRefresh?: boolean;
  /** Show what would be done, and do nothing. */
  readonly plan?: boolean;
  /** The plan for machines. */
  readonly json?: boolean;
}

const ISOLATIONS = ['thread', 'process'] as const;
type Isolation = (typeof ISOLATIONS)[number];

interface Flags {
  readonly verbose?: number;
  readonly numWorkers?: number;
  readonly isolation?: Isolation;
  readonly maxWorkerMemory?: number;
  readonly parallelBuilders?: true;
  readonly failFast?: true;
  readonly maxFailures?: number;
  readonly retries?: number;
  readonly fullRefresh?: true;
  readonly plan?: true;
  readonly json?: true;
  readonly bars: boolean;
}

/** Where the command's own words go. */
export interface CommandOutput {
  out(text: string): void;
  err(text: string): void;
}

/** As many as a MultiProcessor starts; asking it would load the library. */
const MAX_WORKERS = 1024;
/** Numbers can still be added to. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER - 1;

const EXAMPLES = `
A builder file is what dumpfn() wrote (.json, .yaml or .yml, also with .gz), or a
script (.js, .mjs, .cjs, .ts, .mts, .cts) that exports \`__builders__\` (a list),
\`__builder__\` or a default. Builders run in the order given.

Examples:
  mrun builder.json
  mrun -v first.json second.ts
  mrun -n 4 builder.json

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
  if (program.args.length === 0) {
    output.err(
      'mrun: no builder files given (usage: mrun [options] <builders...>, see mrun --help)\n',
    );
    return ExitCode.Usage;
  }
  if (program.opts<Flags>().json && !program.opts<Flags>().plan) {
    output.err('mrun: --json is for --plan\n');
    return ExitCode.Usage;
  }
  const { verbose = 0, bars, maxWorkerMemory, ...others } = program.opts<Flags>();
  return {
    files: program.args,
    verbosity: verbose,
    ...(!bars && { noBars: true }),
    ...(maxWorkerMemory !== undefined && { maxWorkerMemoryMb: maxWorkerMemory }),
    ...others,
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
      'workers that process items at the same time',
      wholeNumber(1, MAX_WORKERS),
    )
    .option('--isolation <kind>', 'what a worker is: thread (default) or process', isolation)
    .option('--max-worker-memory <mb>', 'end workers that need more memory', wholeNumber(1))
    .option('--parallel-builders', 'run builders that share no store at the same time')
    .option('--fail-fast', 'end a build at its first failed item')
    .option('--max-failures <n>', 'end a build when more items than this failed', wholeNumber(0))
    .option('--retries <n>', 'try failed items again, up to n times', wholeNumber(0))
    .option('--full-refresh', 'build everything anew, also what is up to date')
    .option('--plan', 'show what a run would do and why, and do nothing')
    .option('--json', 'with --plan: one JSON object per line')
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

function wholeNumber(minimum: number, maximum = MAX_NUMBER): (text: string) => number {
  const bounds = maximum < MAX_NUMBER ? `from ${minimum} to ${maximum}` : `of at least ${minimum}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`Expected a whole number ${bounds}.`);
    return value;
  };
}

function isolation(text: string): Isolation {
  const kind = ISOLATIONS.find((name) => name === text);
  if (kind === undefined)
    throw new InvalidArgumentError(`Expected one of ${ISOLATIONS.join(', ')}.`);
  return kind;
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
