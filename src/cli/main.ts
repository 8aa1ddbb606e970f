import { ExitCode } from './exit-code.js';
import { parseArguments } from './options.js';
import { formatError } from './report-error.js';
import type { Exit } from './run-builders.js';

/**
 * The command `mrun`.
 *
 * @param argv - The arguments, without node and the script.
 * @param exit - Ends the process, for a run that does not end by itself.
 * @returns The code to exit with. It never rejects.
 */
export async function main(argv: readonly string[], exit: Exit): Promise<ExitCode> {
  try {
    const request = parseArguments(argv, {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
    });
    if (typeof request === 'number') return request;
    // Only now: help and version do not need the library.
    const { runBuilders } = await import('./run-builders.js');
    return await runBuilders(request, exit);
  } catch (error) {
    process.stderr.write(formatError(error));
    return ExitCode.BuildFailed;
  }
}
