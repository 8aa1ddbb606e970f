import type { CommandOutput } from './command-output.js';
import { ExitCode } from './exit-code.js';
import type { CommandName } from './option-table.js';
import { variableOf } from './option-table.js';
import type { RunRequest } from './options.js';
import type { RunRole } from './run-role.js';
import { roleOf, whyMisused } from './run-role.js';
import type { Settings } from './settings.js';
import type { Exit } from './stop-on-signals.js';

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

const MANAGER_NEEDS_FILES =
  'mrun: -N is for the manager, which needs builder files; a worker takes none, and no -N\n';

/** All commands, in the order of the help. */
export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  run: {
    operands: ['[builders...]', 'files that hold builders'],
    description: 'Runs builders: brings what is derived from your data up to date.',
    async act({ operands, settings, output, exit }) {
      const { values, origins } = settings;
      const role = roleOf(operands, settings);
      const problem = whyMisused(role, settings);
      if (problem !== undefined) return misused(output, `mrun: ${problem}\n`);
      const files = filesOf(role, operands, settings);
      const request = toRunRequest(files, settings);
      // The library would read what `--no-secret-file` takes back.
      if (request.secretFile === undefined) delete process.env[variableOf('secretFile')];
      if (role === 'worker') {
        const { runWorker } = await import('./run-worker.js');
        return runWorker(request, exit);
      }
      if (files.length === 0)
        return misused(output, role === 'manager' ? MANAGER_NEEDS_FILES : SHORT_HELP);
      if (origins.json === 'command line' && values.json && !values.plan)
        return misused(output, 'mrun: --json is for --plan\n');
      const { runBuilders } = await import('./run-builders.js');
      return runBuilders(request, exit);
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
      const role = roleOf(operands, settings);
      const problem = whyMisused(role, settings);
      if (problem !== undefined) return misused(output, `mrun: ${problem}\n`);
      const files = filesOf(role, operands, settings);
      if (files.length === 0 && role !== 'worker') return withoutFiles('show', output);
      const { showBuilders } = await import('./show.js');
      const { json = false } = settings.values;
      const request = toRunRequest(files, settings);
      return showBuilders({ request, role, settings, json }, output);
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
  keygen: {
    operands: ['[file]', 'where; a file that is there stays as it is'],
    description: 'make the secret of manager and workers',
    async act({ operands: [file], output }) {
      if (file === undefined)
        return misused(output, 'mrun: name the file of the new secret: mrun keygen FILE\n');
      const { makeSecret } = await import('./keygen.js');
      return makeSecret(file, output);
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

/** A worker has no builder files, whatever the project has. */
function filesOf(
  role: RunRole,
  operands: readonly string[],
  { builders }: Settings,
): readonly string[] {
  if (role === 'worker') return [];
  return operands.length > 0 ? operands : builders;
}

function withoutFiles(command: CommandName, output: CommandOutput): ExitCode {
  return misused(output, `mrun: no files given (usage: mrun ${command} FILES...)\n`);
}

function misused(output: CommandOutput, advice: string): ExitCode {
  output.misuse(advice);
  return ExitCode.Usage;
}

function toRunRequest(files: readonly string[], { values, warnings }: Settings): RunRequest {
  const { verbose = 0, bars = true, maxWorkerMemory, ...rest } = values;
  const { lease, workerTimeout, chunkTimeout, managerTimeout, ...others } = rest;
  return {
    files,
    verbosity: verbose,
    ...(!bars && { noBars: true }),
    ...(maxWorkerMemory !== undefined && { maxWorkerMemoryMb: maxWorkerMemory }),
    ...(lease !== undefined && { leaseMs: lease * 1000 }),
    ...(workerTimeout !== undefined && { workerTimeoutMs: workerTimeout * 1000 }),
    ...(chunkTimeout !== undefined && { chunkTimeoutMs: chunkTimeout * 1000 }),
    ...(managerTimeout !== undefined && { managerTimeoutMs: managerTimeout * 1000 }),
    warnings,
    ...others,
  };
}
