import type { LogEntry } from '../util/log-entry.js';
import { colourOf } from './colours.js';
import type { CommandOutput } from './command-output.js';
import { formatJsonEntry } from './format-log.js';
import { redirectWarnings } from './guard-output.js';
import type { LogFormat } from './option-table.js';
import { errorFields, formatError } from './report-error.js';
import type { Screen } from './screen.js';

/** What a command itself says on stderr, whatever is logged. */
export type Notes = Pick<CommandOutput, 'note' | 'fail' | 'misuse'>;

/**
 * Says things in the format of the log, so that a program that reads stderr as JSON finds nothing else there. For that, it
 * also takes over what Node warns of, as long as the process lives.
 */
export function createNotes(screen: Pick<Screen, 'print'>, format: LogFormat = 'text'): Notes {
  const colour = colourOf(process.stderr);
  if (format === 'text')
    return {
      note: (text) => screen.print(text),
      misuse: (text) => screen.print(text),
      fail: (error) => screen.print(formatError(error, { colour })),
    };
  const say = (level: LogEntry['level'], message: string, properties = {}) =>
    screen.print(
      formatJsonEntry(
        { time: new Date(), level, logger: 'mrun', message, properties },
        { withStack: true },
      ),
    );
  redirectWarnings(({ name, message }) => say('warning', message, { name }));
  return {
    note: (text) => say('info', text.trimEnd()),
    misuse: (text) => say('error', text.trimEnd().replace(/^mrun: /, '')),
    fail: (error) => {
      const { message, ...others } = errorFields(error);
      say('error', message, others);
    },
  };
}
