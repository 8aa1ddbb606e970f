import { once } from 'node:events';
import type { AnyBuilder } from '../builder/builder.js';
import type { Processor } from '../processor/processor.js';
import { createLogger } from '../util/logger.js';
import type { ProcessorChoice } from './choose-processor.js';
import { chooseProcessor } from './choose-processor.js';
import { ExitCode, exitCodeOf, exitCodeOfSignal } from './exit-code.js';
import { loadBuilders } from './load-builders.js';
import { configureLog } from './log-sink.js';
import type { RunRequest } from './options.js';
import { formatError } from './report-error.js';
import { Screen } from './screen.js';
import { showBars } from './show-bars.js';
import type { PlanOutput } from './show-plan.js';
import { showPlans } from './show-plan.js';
import type { SignalWatch } from './signals.js';
import { watchSignals } from './signals.js';
import { countsOf, summarize } from './summary.js';

/** How long a run may take to end after it was told to end at once. */
const ABORT_MS = 1000;

/** Ends the process. */
export type Exit = (code: ExitCode) => void;

/**
 * Loads the builders and runs them, showing on stderr how it goes.
 *
 * @param exit - Called when a run does not end by itself although it was told to.
 * @returns The code to exit with.
 */
export async function runBuilders(request: RunRequest, exit: Exit): Promise<ExitCode> {
  const { files, verbosity, noBars, parallelBuilders: parallel } = request;
  const screen = new Screen(process.stderr);
  let builders: AnyBuilder[];
  let choice: ProcessorChoice;
  try {
    builders = await loadBuilders(files);
    if (request.fullRefresh) for (const builder of builders) builder.fullRefresh = true;
    choice = chooseProcessor(request, builders);
  } catch (error) {
    screen.print(formatError(error));
    return ExitCode.Usage;
  }
  // After the files: a script that configures LogTape itself must find it as it would without us.
  configureLog(screen, verbosity);
  const logger = createLogger('mrun');
  if (request.plan) return showPlans(builders, request.json === true, planOutput(screen));
  const { processor, warnings } = choice;
  for (const warning of warnings) logger.warn(warning);
  const endBars = noBars ? () => {} : showBars(screen, processor, builders.length > 1);
  const controller = new AbortController();
  const signals = stopOnSignals(processor, screen, controller, exit);
  try {
    const reports = await processor.runAll(builders, { signal: controller.signal, parallel });
    for (const report of reports) logger.info(countsOf(report));
    screen.print(summarize(reports));
    return exitCodeOf(reports, signals.received);
  } catch (error) {
    screen.print(formatError(error));
    return ExitCode.BuildFailed;
  } finally {
    signals.dispose();
    endBars();
    screen.close();
  }
}

function planOutput(screen: Screen): PlanOutput {
  return {
    async write(text) {
      if (!process.stdout.write(text) && !process.stdout.destroyed)
        await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]);
    },
    fail: (error) => screen.print(formatError(error)),
  };
}

function stopOnSignals(
  processor: Processor,
  screen: Screen,
  controller: AbortController,
  exit: Exit,
): SignalWatch {
  let deadline: NodeJS.Timeout | undefined;
  const watch = watchSignals({
    stop(signal) {
      const again = signal === 'SIGINT' ? 'press Ctrl-C again' : 'send SIGTERM again';
      screen.print(`Stopping: finishing what is in flight (${again} to stop at once)\n`);
      processor.stop();
    },
    abort(signal) {
      screen.print('Stopping at once\n');
      controller.abort();
      deadline = setTimeout(() => exit(exitCodeOfSignal(signal)), ABORT_MS);
    },
  });
  return {
    get received() {
      return watch.received;
    },
    dispose() {
      clearTimeout(deadline);
      watch.dispose();
    },
  };
}
