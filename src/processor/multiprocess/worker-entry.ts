// What runs in a worker thread: the builder is rebuilt once, then frames of items come in, frames of outcomes go out.
import { parentPort, workerData } from 'node:worker_threads';
import type { LogLevel } from '@logtape/logtape';
import { toPortable } from '../../errors/error-transfer.js';
import { markWorker } from '../../util/inside-worker.js';
import { addLogSink } from '../../util/log-sink.js';
import { failed, ItemRunner } from '../item-runner.js';
import type { BuilderShipment } from './builder-shipment.js';
import { unpackBuilder } from './builder-shipment.js';
import { FrameWriter, fromFrame, packingError } from './frame.js';
import { toLogLine } from './log-line.js';
import { StepClock } from './step-clock.js';
import type { WorkerMessage } from './worker-handle.js';
import type { ThreadData } from './worker-thread.js';

/** What a worker needs to know. */
export interface WorkerInput {
  readonly shipment: BuilderShipment;
  /** Log lines below this level stay in the worker; null for all. */
  readonly lowestLevel: LogLevel | null;
}

const port = parentPort;
const { clock: memory, data } = workerData as ThreadData;
const clock = new StepClock(memory);

const say = (message: WorkerMessage, transfer: ArrayBuffer[] = []): void =>
  port?.postMessage(message, transfer);

async function start({ shipment, lowestLevel }: WorkerInput): Promise<void> {
  markWorker('starting');
  const builder = await unpackBuilder(shipment);
  // After the modules: one that configures LogTape itself must find it as it would elsewhere.
  if (lowestLevel !== null)
    addLogSink('worker', (record) => say({ kind: 'log', line: toLogLine(record) }), lowestLevel);
  if (builder.processUsesStores) await builder.connect();
  markWorker('working');
  const runner = new ItemRunner(builder);
  const writer = new FrameWriter();

  const work = async (frame: Uint8Array): Promise<void> => {
    builder.logger.reset();
    const items = fromFrame(frame);
    let workMs = 0;
    for (const [i, item] of items.entries()) {
      clock.begin(i);
      const started = performance.now();
      const running = runner.run(item);
      const outcome = running instanceof Promise ? await running : running;
      clock.rest();
      const durationMs = performance.now() - started;
      workMs += durationMs;
      try {
        writer.addOutcome(outcome);
      } catch (error) {
        writer.addOutcome(failed('unserializable', packingError(error), durationMs));
      }
    }
    const answer = writer.take();
    const { errors, warnings } = builder.logger;
    say({ kind: 'done', frame: answer, workMs, errors, warnings }, [answer.buffer]);
  };

  port?.on('message', (frame: Uint8Array) => void work(frame));
  say({ kind: 'ready' });
}

await start(data as WorkerInput).catch((error: unknown) =>
  say({ kind: 'refused', error: toPortable(error) }),
);
