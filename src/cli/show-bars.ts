import { guardOutput } from './guard-output.js';
import type { BuildEventSource } from './progress-bars.js';
import { ProgressBars } from './progress-bars.js';
import type { Screen } from './screen.js';
import { beforeSuspension } from './signals.js';

/**
 * Shows progress bars on stderr, if that is a terminal that can draw them.
 *
 * @param headings - Whether each build's bars stand under the name of the builder.
 * @returns Ends it and leaves the terminal as it was found.
 */
export function showBars(
  screen: Screen,
  processor: BuildEventSource,
  headings: boolean,
): () => void {
  if (!process.stderr.isTTY || process.env['TERM'] === 'dumb') return () => {};
  const unfollow = new ProgressBars(screen, { headings }).follow(processor);
  const release = guardOutput(screen, [process.stdout, process.stderr]);
  // However the process ends: a terminal without a cursor is of no use.
  const close = () => screen.close();
  process.once('exit', close);
  process.once('uncaughtExceptionMonitor', close);
  // The shell gets its cursor back; when the process goes on, the bars are drawn anew.
  const releaseSuspension = beforeSuspension(() => screen.keep());
  return () => {
    unfollow();
    release();
    releaseSuspension();
    process.off('exit', close);
    process.off('uncaughtExceptionMonitor', close);
  };
}
