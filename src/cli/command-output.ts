import { once } from 'node:events';
import { colourOf } from './colours.js';
import { formatError } from './report-error.js';

/** Where a command writes what it found; logs and bars go elsewhere. */
export interface CommandOutput {
  /** Writes to stdout; resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Writes whole lines to stderr: what is not the answer itself. */
  note(text: string): void;
  /** Says on stderr what went wrong. */
  fail(error: unknown): void;
  /** Width of the terminal behind stdout; undefined when it is none. */
  readonly columns: number | undefined;
}

/**
 * The output of this process.
 *
 * @param note - What writes whole lines to stderr.
 */
export function processOutput(
  note = (text: string): void => void process.stderr.write(text),
): CommandOutput {
  const { stdout } = process;
  return {
    async write(text) {
      if (!stdout.write(text) && !stdout.destroyed)
        await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]);
    },
    note,
    fail: (error) => note(formatError(error, { colour: colourOf(process.stderr) })),
    columns: stdout.isTTY ? stdout.columns : undefined,
  };
}
