import type { AnyBuilder } from '../builder/builder.js';
import { isMaggmaError } from '../errors/maggma-error.js';
import { flushTelemetry } from '../processor/telemetry.js';
import type { Reporter } from '../reporting/reporter.js';
import { createLogger } from '../util/logger.js';
import type { ProcessorChoice } from './choose-processor.js';
import { chooseProcessor } from './choose-processor.js';
import { colourOf } from './colours.js';
import { processOutput } from './command-output.js';
import { ExitCode, exitCodeOf } from './exit-code.js';
import { loadBuilders } from './load-builders.js';
import { configureLog } from './log-sink.js';
import { createNotes } from './notes.js';
import type { RunRequest } from './options.js';
import { openReporter } from './reporting-store.js';
import { Screen } from './screen.js';
import { showPlans } from './show-plan.js';
import { showProgress } from './show-progress.js';
import type { Exit } from './stop-on-signals.js';
import { stopOnSignals } from './stop-on-signals.js';
import { logCounts, summarize } from './summary.js';

/**
 * Loads the builders and runs them, showing on stderr how it goes.
 *
 * @param exit - Called when a run does not end by itself although it was told to.
 * @returns The code to exit with.
 */
export async function runBuilders(request: RunRequest, exit: Exit): Promise<ExitCode> {
  const { files, verbosity, noBars } = request;
  const screen = new Screen(process.stderr);
  const notes = createNotes(screen, request.logFormat);
  let builders: AnyBuilder[];
  let choice: ProcessorChoice;
  let reporter: Reporter | undefined;
  try {
    builders = await loadBuilders(files);
    if (request.fullRefresh) for (const builder of builders) builder.fullRefresh = true;
    choice = chooseProcessor(request, builders);
    if (request.reporting !== undefined) reporter = await openReporter(request.reporting);
  } catch (error) {
    notes.fail(error);
    return ExitCode.Usage;
  }
  // After the files: a script that configures LogTape itself must find it as it would without us.
  configureLog(screen, { verbosity, format: request.logFormat });
  const logger = createLogger('mrun');
  for (const warning of request.warnings ?? []) logger.warn(warning);
  if (request.plan)
    return showPlans(builders, request.json === true, { ...processOutput(), ...notes });
  const { processor, warnings, cluster } = choice;
  for (const warning of warnings) logger.warn(warning);
  const endProgress = showProgress(screen, processor, {
    bars: !noBars,
    headings: builders.length > 1 || cluster !== undefined,
    verbosity,
    format: request.logFormat,
    cluster,
  });
  reporter?.follow(processor);
  const controller = new AbortController();
  const signals = stopOnSignals({
    stop: () => processor.stop(),
    controller,
    stopping:
      cluster === undefined
        ? 'finishing what is in flight'
        : 'workers leave, and the next run plans what is left',
    notes,
    exit,
  });
  try {
    // A config file may say it for other runs.
    const parallel = cluster === undefined && request.parallelBuilders;
    const reports = await processor.runAll(builders, { signal: controller.signal, parallel });
    for (const report of reports) logCounts(logger, report, request.logFormat);
    if (request.logFormat !== 'json')
      screen.print(
        summarize(reports, {
          files: builders.some((builder) => builder.failures() !== null) ? files : [],
          columns: process.stderr.isTTY ? screen.columns : undefined,
          colour: colourOf(process.stderr),
        }),
      );
    return exitCodeOf(reports, signals.received);
  } catch (error) {
    notes.fail(error);
    // A manager refuses before it opens a store; what a build meets is in its report.
    const isRefused = cluster !== undefined && isMaggmaError(error);
    return isRefused ? ExitCode.Usage : ExitCode.BuildFailed;
  } finally {
    await flushTelemetry();
    // A signal must still end a run whose reporting store does not answer.
    await reporter?.close();
    signals.dispose();
    endProgress();
    screen.close();
  }
}
