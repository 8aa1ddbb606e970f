import type { CommandOutput } from './command-output.js';
import { processOutput } from './command-output.js';
import { COMMANDS } from './commands.js';
import { ExitCode } from './exit-code.js';
import type { LogFormat } from './option-table.js';
import { OPTIONS, optionsOf, variableOf, wordsOf } from './option-table.js';
import { parseArguments } from './options.js';
import type { Settings } from './settings.js';
import type { Exit } from './stop-on-signals.js';

/**
 * The command `mrun`.
 *
 * @param argv - The arguments, without node and the script.
 * @param exit - Ends the process, for a run that does not end by itself.
 * @returns The code to exit with. It never rejects.
 */
export async function main(argv: readonly string[], exit: Exit): Promise<ExitCode> {
  let output = processOutput();
  try {
    output = await outputIn(formatOf(argv, process.env));
    const line = parseArguments(argv, {
      out: (text) => process.stdout.write(text),
      err: (text) => output.misuse(text),
    });
    if (typeof line === 'number') return line;
    let settings: Settings;
    try {
      // Only now, and the library even later: help and version do not need them.
      const { settle } = await import('./settings.js');
      settings = await settle(line, process.env);
    } catch (error) {
      output.fail(error);
      return ExitCode.Usage;
    }
    if (optionsOf(line.command).includes('logFormat'))
      output = await outputIn(settings.values.logFormat);
    // A run logs them.
    if (line.command !== 'run')
      for (const warning of settings.warnings) output.note(`mrun: ${warning}\n`);
    return await COMMANDS[line.command].act({ operands: line.operands, settings, output, exit });
  } catch (error) {
    output.fail(error);
    return ExitCode.BuildFailed;
  }
}

/** In which format to say that the command line, or what goes with it, is wrong. */
function formatOf(argv: readonly string[], env: NodeJS.ProcessEnv): LogFormat | undefined {
  const flag = `--${wordsOf('logFormat')}`;
  const texts = argv.flatMap((word, i) => {
    if (word === flag) return argv.slice(i + 1, i + 2);
    return word.startsWith(`${flag}=`) ? [word.slice(flag.length + 1)] : [];
  });
  return OPTIONS.logFormat.parse(texts.at(-1) ?? env[variableOf('logFormat')] ?? '');
}

async function outputIn(format: LogFormat | undefined): Promise<CommandOutput> {
  const output = processOutput();
  if (format !== 'json') return output;
  // Help and version do without what it needs.
  const { createNotes } = await import('./notes.js');
  return { ...output, ...createNotes({ print: output.note }, format) };
}
