// The main module of a process for chunks; see ChunkProcess.
import { Worker } from 'node:worker_threads';
import { BuildFailedError } from '../../builder/build-errors.js';
import type { AnyBuilder } from '../../builder/builder.js';
import { IncrementalBuilder } from '../../builder/incremental-builder.js';
import { ProjectionBuilder } from '../../builder/projection-builder.js';
import { LeaseLostError } from '../../errors/distributed-errors.js';
import { toPortable } from '../../errors/error-transfer.js';
import { markWorker } from '../../util/inside-worker.js';
import { addLogSink } from '../../util/log-sink.js';
import { runnable } from '../../util/own-files.js';
import { toLogLine } from '../multiprocess/log-line.js';
import { MultiProcessor } from '../multiprocess/multi-processor.js';
import type { Processor } from '../processor.js';
import { SerialProcessor } from '../serial/serial-processor.js';
import { buildChunk } from './chunk-builder.js';
import type { ChunkEnd, ChunkJob, FromChunkProcess, ToChunkProcess } from './chunk-process.js';
import { briefFailure, KEPT_FAILURES, NO_PROGRESS, resultOf } from './chunk-result.js';

/** Errors that come again whoever tries: they lie in the builder. */
const FATAL: readonly unknown[] = ['DESERIALIZATION', 'INVALID_BUILDER', 'INVALID_OPTION'];

// A Ctrl-C goes to every process of the terminal; when to end is the parent's to say.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
new Worker(runnable('processor/distributed/parent-watch'), { execArgv: [] }).unref();

let answered: (isHeld: boolean) => void = () => undefined;

process.on('message', (message: ToChunkProcess) => {
  if (message.kind === 'held') answered(message.isHeld);
  else void work(message.job).then(say);
});

async function work(job: ChunkJob): Promise<ChunkEnd> {
  try {
    const builder = await prepare(job);
    const report = await processorFor(builder, job).run(builder);
    return { kind: 'done', result: resultOf(report) };
  } catch (thrown) {
    const error =
      thrown instanceof BuildFailedError && thrown.report.error
        ? thrown.report.error
        : toPortable(thrown);
    return { kind: 'failed', error, isFatal: FATAL.includes(error.code) };
  }
}

async function prepare({ header, change, allow }: ChunkJob): Promise<AnyBuilder> {
  markWorker('starting');
  try {
    const builder = await buildChunk(header, change, allow);
    // After the modules: one that configures LogTape itself must find it as it would elsewhere.
    addLogSink('chunk', (record) => say({ kind: 'log', line: toLogLine(record) }), 'warning');
    builder.fullRefresh = header.fullRefresh || decidesInPrechunk(builder);
    const write = builder.updateTargets.bind(builder);
    return Object.assign(builder, {
      async updateTargets(results: readonly unknown[]) {
        if (!(await mayWrite())) throw new LeaseLostError();
        return write(results);
      },
      // It is called for all chunks together, at the manager.
      async finalize() {},
    });
  } finally {
    markWorker(null);
  }
}

/**
 * Builders of ours find out in `prechunk` what is due. A chunk is built as a whole then: a second attempt comes to the same
 * counts as the first one.
 */
const decidesInPrechunk = (builder: AnyBuilder): boolean =>
  builder instanceof IncrementalBuilder || builder instanceof ProjectionBuilder;

function processorFor(builder: AnyBuilder, { header, processing }: ChunkJob): Processor {
  // The manager has the targets, for all chunks.
  const shared = { retry: header.retry ?? undefined, targetLease: false };
  const needsWorkers = builder.itemTimeoutMs() !== null || Object.keys(processing).length > 0;
  const processor = needsWorkers
    ? new MultiProcessor({ numWorkers: 1, ...processing, ...shared })
    : new SerialProcessor(shared);
  let progress = NO_PROGRESS;
  processor.on('PROGRESS', ({ fetched, processed, written, total }) => {
    progress = { fetched, processed, written, total, failed: progress.failed, failures: [] };
    say({ kind: 'progress', progress });
  });
  processor.on('ITEM_FAILED', (failure) => {
    const failed = progress.failed + 1;
    progress = { ...progress, failed };
    if (failed > KEPT_FAILURES) return;
    say({ kind: 'progress', progress: { ...progress, failures: [briefFailure(failure)] } });
  });
  processor.on('UPDATE', ({ items }) => say({ kind: 'updating', items }));
  return processor;
}

/** Writes may be under way at the same time, and all wait for the same answer. */
let asking: Promise<boolean> | undefined;

async function mayWrite(): Promise<boolean> {
  asking ??= new Promise<boolean>((resolve) => {
    answered = resolve;
    say({ kind: 'may I write?' });
  }).finally(() => {
    asking = undefined;
  });
  return asking;
}

function say(message: FromChunkProcess): void {
  // A failure means that the parent is gone, which `disconnect` tells.
  process.send?.(message, undefined, undefined, () => undefined);
}
