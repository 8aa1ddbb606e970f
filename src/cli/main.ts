import { processOutput } from './command-output.js';
import { COMMANDS } from './commands.js';
import { ExitCode } from './exit-code.js';
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
  const output = processOutput();
  try {
    const line = parseArguments(argv, {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
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
    // A run logs them.
    if (line.command !== 'run')
      for (const warning of settings.warnings) output.note(`mrun: ${warning}\n`);
    return await COMMANDS[line.command].act({ operands: line.operands, settings, output, exit });
  } catch (error) {
    output.fail(error);
    return ExitCode.BuildFailed;
  }
}
