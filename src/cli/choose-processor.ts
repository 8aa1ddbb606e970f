import { availableParallelism } from 'node:os';
import type { AnyBuilder } from '../builder/builder.js';
import { InvalidBuilderError } from '../errors/builder-errors.js';
import type { ClusterState } from '../processor/distributed/distributed-processor.js';
import { DistributedProcessor } from '../processor/distributed/distributed-processor.js';
import { MultiProcessor } from '../processor/multiprocess/multi-processor.js';
import type { Processor } from '../processor/processor.js';
import { SerialProcessor } from '../processor/serial/serial-processor.js';
import { MixedProcessor } from './mixed-processor.js';
import type { RunRequest } from './options.js';
import { oneLine } from './printable.js';
import { whyNotInWorkers } from './worker-fitness.js';

/** How many workers for each core are still no mistake. */
const MANY = 4;

/** What runs the builders. */
export interface ProcessorChoice {
  readonly processor: Processor;
  /** What whoever started the run should know. */
  readonly warnings: readonly string[];
  /** Who is at work elsewhere, for a manager. */
  readonly cluster?: () => ClusterState | null;
}

/**
 * Decides where items are processed: elsewhere by workers of a manager; in workers when they were asked for, and for builders with a time limit, which
 * only a worker makes hard; else in this thread.
 *
 * @throws {@link InvalidOptionError} for a URL where no workers can be met.
 * @throws {@link InvalidBuilderError} for a builder that should run in workers and cannot. Nothing was opened by then.
 */
export function chooseProcessor(
  request: RunRequest,
  builders: readonly AnyBuilder[],
): ProcessorChoice {
  const { failFast, maxFailures, retries, numWorkers = 1, isolation, maxWorkerMemoryMb } = request;
  const shared = {
    ...{ failFast, maxFailures },
    retry: retries === undefined ? undefined : { attempts: retries + 1 },
    targetLease: request.steal ? ('steal' as const) : undefined,
  };
  const { url, numChunks } = request;
  if (url !== undefined && numChunks !== undefined) {
    const { secretFile, leaseMs, workerTimeoutMs, chunkTimeoutMs, retryDead } = request;
    const processor = new DistributedProcessor({
      ...shared,
      ...{ url, numChunks, secretFile, leaseMs, workerTimeoutMs, chunkTimeoutMs, retryDead },
    });
    return { processor, warnings: [], cluster: () => processor.cluster };
  }
  const options = { ...shared, numWorkers, isolation, maxWorkerMemoryMb };
  if (numWorkers > 1 || isolation !== undefined || maxWorkerMemoryMb !== undefined) {
    for (const builder of builders) {
      const problem = whyNotInWorkers(builder);
      if (problem !== undefined) throw unfit(builder, problem);
    }
    return { processor: new MultiProcessor(options), warnings: tooMany(numWorkers) };
  }
  const { inWorkers, warnings } = withHardLimit(builders, request.numWorkers !== undefined);
  if (inWorkers.size === 0) return { processor: new SerialProcessor(options), warnings };
  if (builders.every((builder) => inWorkers.has(builder)))
    return { processor: new MultiProcessor(options), warnings };
  const needsWorkers = (builder: AnyBuilder) => inWorkers.has(builder);
  return { processor: new MixedProcessor(options, needsWorkers), warnings };
}

/** The builders that get a worker for their time limit; those that cannot have one do without, unless it was asked for. */
function withHardLimit(builders: readonly AnyBuilder[], isWorkerAskedFor: boolean) {
  const inWorkers = new Set<AnyBuilder>();
  const warnings: string[] = [];
  for (const builder of builders.filter((each) => each.itemTimeoutMs() !== null)) {
    const problem = whyNotInWorkers(builder);
    if (problem === undefined) inWorkers.add(builder);
    else if (isWorkerAskedFor) throw unfit(builder, problem);
    else
      warnings.push(
        `${builder.constructor.name}: its time limit will not stop a busy loop, because it cannot run in a worker: ${oneLine(problem)}`,
      );
  }
  return { inWorkers, warnings };
}

function unfit(builder: AnyBuilder, problem: string): InvalidBuilderError {
  return new InvalidBuilderError(
    builder.constructor.name,
    `cannot run in workers: ${oneLine(problem)}`,
  );
}

function tooMany(numWorkers: number): string[] {
  const cores = availableParallelism();
  if (numWorkers <= MANY * cores) return [];
  return [
    `-n ${numWorkers}: this machine runs ${cores} at a time; more workers only help items that wait, and each needs memory`,
  ];
}
