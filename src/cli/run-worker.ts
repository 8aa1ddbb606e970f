import { redact } from '../errors/redact.js';
import type { WorkerReport } from '../processor/distributed/distributed-worker.js';
import { DistributedWorker } from '../processor/distributed/distributed-worker.js';
import { createLogger } from '../util/logger.js';
import { ExitCode, exitCodeOfSignal } from './exit-code.js';
import { configureLog } from './log-sink.js';
import { createNotes } from './notes.js';
import type { RunRequest } from './options.js';
import { Screen } from './screen.js';
import type { Exit } from './stop-on-signals.js';
import { stopOnSignals } from './stop-on-signals.js';

/** What is wrong is how the worker was started; else it cannot do what it is asked to. */
const USAGE: readonly unknown[] = [
  'INVALID_OPTION',
  'MISSING_DEPENDENCY',
  'SECRET',
  'DISTRIBUTED_ADDRESS',
  'DISTRIBUTED_AUTH',
  'DISTRIBUTED_PROTOCOL',
  'BROKER',
];

/**
 * Builds chunks for the manager of a distributed run, showing on stderr how it goes.
 *
 * @param exit - Called when it does not end by itself although it was told to.
 * @returns The code to exit with.
 */
export async function runWorker(request: RunRequest, exit: Exit): Promise<ExitCode> {
  const { url = '', numWorkers = 1, verbosity, logFormat: format } = request;
  const screen = new Screen(process.stderr);
  const notes = createNotes(screen, format);
  configureLog(screen, { verbosity, format });
  const logger = createLogger('mrun');
  for (const warning of request.warnings ?? []) logger.warn(warning);
  const controller = new AbortController();
  try {
    const worker = createWorker(request);
    const signals = stopOnSignals({
      stop: () => worker.stop(),
      controller,
      stopping: 'finishing what is in flight',
      ...{ notes, exit },
    });
    try {
      // With -v, it is logged.
      if (verbosity === 0 && format !== 'json' && process.stderr.isTTY)
        screen.print(`Waits for chunks at ${redact(url)}, ${numWorkers} at a time\n`);
      const report = await worker.run({ signal: controller.signal });
      const line = describe(report);
      if (format === 'json') logger.info(line, { ...report });
      else screen.print(`${line}\n`);
      const { received } = signals;
      return report.status === 'stopped' && received ? exitCodeOfSignal(received) : ExitCode.Ok;
    } finally {
      signals.dispose();
    }
  } catch (error) {
    notes.fail(error);
    const { code } = error as { readonly code?: unknown };
    return USAGE.includes(code) ? ExitCode.Usage : ExitCode.BuildFailed;
  } finally {
    screen.close();
  }
}

/**
 * Makes the worker that a run is to be.
 *
 * @throws {@link InvalidOptionError} for a URL where no manager can be met.
 */
export function createWorker(request: RunRequest): DistributedWorker {
  const { url = '', numWorkers: slots, isolation, maxWorkerMemoryMb } = request;
  const { secretFile, leaseMs, keepAlive, managerTimeoutMs, allow } = request;
  return new DistributedWorker({
    ...{ url, slots, secretFile, leaseMs, keepAlive, managerTimeoutMs },
    ...{ allow, isolation, maxWorkerMemoryMb },
  });
}

/** `Worker host-17-3f: 12 chunks done, 1 failed, 2 handed back; the run is over`. */
function describe({ worker, status, done, failed, lost, released }: WorkerReport): string {
  const parts = [
    `${done} ${done === 1 ? 'chunk' : 'chunks'} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(lost > 0 ? [`${lost} lost`] : []),
    ...(released > 0 ? [`${released} handed back`] : []),
  ];
  const end = status === 'finished' ? 'the run is over' : 'stopped';
  return `Worker ${worker}: ${parts.join(', ')}; ${end}`;
}
