import type { CommandOutput } from './command-output.js';
import { ExitCode } from './exit-code.js';
import type { CommandName } from './option-table.js';
import type { RunRequest } from './options.js';
import type { Exit } from './run-builders.js';
import type { Settings } from './settings.js';

/** What a command works with. */
export interface CommandContext {
  /** What stands on the command line besides options. */
  readonly operands: readonly string[];
  readonly settings: Settings;
  readonly output: CommandOutput;
  /** Ends the process, for a run that does not end by itself. */
  readonly exit: Exit;
}

/** One of the things that `mrun` does. */
export interface CommandSpec {
  /** What it is given, as commander reads it, and what that is. */
  readonly operands: readonly [string, string];
  readonly description: string;
  /** What it needs is loaded only now. */
  readonly act: (context: CommandContext) => Promise<ExitCode>;
}

const SHORT_HELP = `Usage: mrun [options] <builders...>
       mrun <command> [options]

  mrun -v builder.json     runs a builder, and says what it does
  mrun init my-builders    makes a folder with a first builder
  mrun --help              prints all commands and options
`;

/** All commands, in the order of the help. */
export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  run: {
    operands: ['[builders...]', 'files that hold builders'],
    description: 'Runs builders: brings what is derived from your data up to date.',
    async act({ operands, settings, output, exit }) {
      const { values, origins } = settings;
      const files = operands.length > 0 ? operands : settings.builders;
      if (files.length === 0) return misused(output, SHORT_HELP);
      if (origins.json === 'command line' && values.json && !values.plan)
        return misused(output, 'mrun: --json is for --plan\n');
      const { runBuilders } = await import('./run-builders.js');
      return runBuilders(toRunRequest(files, settings), exit);
    },
  },
  status: {
    operands: ['[file]', 'file that holds the store; else the one of --reporting'],
    description: 'list the builds of a reporting store',
    async act({ operands, settings: { values }, output }) {
      const [file = values.reporting] = operands;
      if (file === undefined)
        return misused(output, 'mrun: name the file of the reporting store: mrun status FILE\n');
      const { showStatus } = await import('./status.js');
      return showStatus({ file, json: values.json ?? false, all: values.all ?? false }, output);
    },
  },
  failures: {
    operands: ['[builders...]', 'files that hold builders'],
    description: 'list the items that failed',
    async act({ operands, settings, output }) {
      const { json = false, limit } = settings.values;
      const files = operands.length > 0 ? operands : settings.builders;
      if (files.length === 0) return withoutFiles('failures', output);
      const { showFailures } = await import('./failures.js');
      return showFailures({ files, json, ...(limit !== undefined && { limit }) }, output);
    },
  },
  show: {
    operands: ['[builders...]', 'files that hold builders'],
    description: 'show what would be run, with all options',
    async act({ operands, settings, output }) {
      const files = operands.length > 0 ? operands : settings.builders;
      if (files.length === 0) return withoutFiles('show', output);
      const { showBuilders } = await import('./show.js');
      const { json = false } = settings.values;
      return showBuilders({ request: toRunRequest(files, settings), settings, json }, output);
    },
  },
  validate: {
    operands: ['[files...]', 'files that hold builders or stores'],
    description: 'check files of builders and stores',
    async act({ operands, settings, output }) {
      const files = operands.length > 0 ? operands : settings.builders;
      if (files.length === 0) return withoutFiles('validate', output);
      const { validateFiles } = await import('./validate.js');
      return validateFiles({ files, connect: settings.values.connect ?? false }, output);
    },
  },
  init: {
    operands: ['[folder]', 'where; else the current folder'],
    description: 'make a folder with a builder, stores and a test',
    async act({ operands: [folder = '.'], settings, output }) {
      const { initProject } = await import('./init/init.js');
      return initProject({ folder, language: settings.values.js ? 'js' : 'ts' }, output);
    },
  },
  completion: {
    operands: ['[shell]', 'bash, zsh or fish; else the one of $SHELL'],
    description: 'print what makes a shell complete mrun',
    async act({ operands: [shell], output }) {
      const { printCompletion } = await import('./completion.js');
      return printCompletion(shell, output);
    },
  },
};

function withoutFiles(command: CommandName, output: CommandOutput): ExitCode {
  return misused(output, `mrun: no files given (usage: mrun ${command} FILES...)\n`);
}

function misused(output: CommandOutput, advice: string): ExitCode {
  output.note(advice);
  return ExitCode.Usage;
}

function toRunRequest(files: readonly string[], { values, warnings }: Settings): RunRequest {
  const { verbose = 0, bars = true, maxWorkerMemory, ...others } = values;
  return {
    files,
    verbosity: verbose,
    ...(!bars && { noBars: true }),
    ...(maxWorkerMemory !== undefined && { maxWorkerMemoryMb: maxWorkerMemory }),
    warnings,
    ...others,
  };
}
