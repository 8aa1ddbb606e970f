import { MaggmaError } from '../errors/maggma-error.js';
import { colourOf } from './colours.js';
import { formatError } from './report-error.js';

/** What a command found cannot be written to stdout. */
class OutputError extends MaggmaError {
  override get name() {
    return 'OutputError' as const;
  }
  override get code() {
    return 'OUTPUT' as const;
  }

  constructor(cause: Error) {
    super(`stdout cannot be written: ${cause.message}`, { cause });
  }
}

/** Where a command writes what it found; logs and bars go elsewhere. */
export interface CommandOutput {
  /** Writes to stdout; resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Writes whole lines to stderr: what is not the answer itself. */
  note(text: string): void;
  /** Says on stderr what went wrong. */
  fail(error: unknown): void;
  /** Says on stderr, in whole lines, what is wrong with the command line. */
  misuse(text: string): void;
  /** Width of the terminal behind stdout; undefined when it is none. */
  readonly columns: number | undefined;
}

/** The output of this process. */
export function processOutput(): CommandOutput {
  const { stdout } = process;
  const note = (text: string): void => void process.stderr.write(text);
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => {
          if (error && !isReaderGone(error)) reject(new OutputError(error));
          else resolve();
        });
      }),
    note,
    misuse: note,
    fail: (error) => note(formatError(error, { colour: colourOf(process.stderr) })),
    columns: stdout.isTTY ? stdout.columns : undefined,
  };
}

/** Whoever read it has seen enough: `mrun status builds.json | head`. */
function isReaderGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
}
