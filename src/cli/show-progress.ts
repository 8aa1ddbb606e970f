import type { ClusterState } from '../processor/distributed/distributed-processor.js';
import { createLogger } from '../util/logger.js';
import { clusterParts } from './cluster-text.js';
import { guardOutput } from './guard-output.js';
import type { LogFormat } from './option-table.js';
import { PlainProgress } from './plain-progress.js';
import type { BuildEventSource, ProgressBarsOptions } from './progress-bars.js';
import { ProgressBars } from './progress-bars.js';
import type { Screen } from './screen.js';
import { beforeSuspension } from './signals.js';

/** How progress is shown. */
export interface ProgressStyle {
  /** Whether bars are wanted. */
  readonly bars: boolean;
  /** Whether each build's bars stand under the name of the builder. */
  readonly headings: boolean;
  /** How often `-v` was given. */
  readonly verbosity: number;
  /**
   * Whoever reads JSON wants no bars.
   *
   * @defaultValue `'text'`
   */
  readonly format?: LogFormat | undefined;
  /**
   * Who is at work elsewhere.
   *
   * @defaultValue nobody
   */
  readonly cluster?: (() => ClusterState | null) | undefined;
}

/**
 * Shows progress bars on stderr, if that is a terminal that can draw them; else it logs now and then how far the builds
 * have come.
 *
 * @returns Ends it and leaves the terminal as it was found.
 */
export function showProgress(
  screen: Screen,
  processor: BuildEventSource,
  { bars, headings, verbosity, format, cluster = () => null }: ProgressStyle,
): () => void {
  const details = () => clusterParts(cluster());
  if (bars && format !== 'json' && process.stderr.isTTY && process.env['TERM'] !== 'dumb')
    return showBars(screen, processor, { headings, details });
  if (verbosity === 0) return () => {};
  return new PlainProgress(createLogger('mrun'), { details }).follow(processor);
}

function showBars(
  screen: Screen,
  processor: BuildEventSource,
  options: ProgressBarsOptions,
): () => void {
  const unfollow = new ProgressBars(screen, options).follow(processor);
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
