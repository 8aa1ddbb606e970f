import path from 'node:path';
import { InvalidOptionError } from '../../errors/option-errors.js';
import {
  assertBoolean,
  assertNonEmptyString,
  assertNonNegativeInteger,
  assertPositiveInteger,
} from '../../util/assert-option.js';
import type { Isolation } from '../../util/option-values.js';
import { MAX_CHUNKS, MAX_WORKERS } from '../../util/option-values.js';
import { stateFolder as usersStateFolder } from '../../util/user-folders.js';
import { resolveMultiProcessorOptions } from '../multiprocess/multi-processor-options.js';
import type { ProcessorOptions } from '../processor-options.js';
import type { ChunkProcessing } from './chunk-process.js';
import type { RetryPolicy } from './engine.js';
import { engineUrl } from './engines.js';
import type { ItemRetries } from './stage-header.js';

const LEASE_MS = 15_000;
const MIN_LEASE_MS = 100;
const BACKOFF_MS = 1000;
const DRAIN_MS = 30_000;

/** What manager and workers have to agree on. */
export interface DistributedOptions {
  /** Where they meet: `tcp://host:port`, at which the manager listens. */
  readonly url: string;
  /**
   * The file with the secret that they share; `mrun keygen FILE` makes one.
   * @defaultValue `MAGGMA_SECRET_FILE`; on this machine alone one of the user's own, which is made when it is needed
   */
  readonly secretFile?: string | undefined;
  /**
   * How long a chunk stays a worker's of whom nothing is heard, in milliseconds. What the manager says counts.
   * @defaultValue `15_000`
   */
  readonly leaseMs?: number | undefined;
}

/** Options of {@link DistributedProcessor}. */
export interface DistributedProcessorOptions extends ProcessorOptions, DistributedOptions {
  /** Into how many chunks the work of each builder is cut; there may be fewer when there is less to do. */
  readonly numChunks: number;
  /**
   * How often a chunk may fail before it is given up, and reported as a failure.
   * @defaultValue `3`
   */
  readonly attempts?: number | undefined;
  /**
   * How many workers a chunk may lose before it is given up.
   * @defaultValue `5`
   */
  readonly losses?: number | undefined;
  /**
   * How long to wait before a chunk that failed is tried again, in milliseconds; twice as long before each further time.
   * @defaultValue `1000`
   */
  readonly backoffMs?: number | undefined;
  /**
   * Where a run is remembered that has no broker: a manager that is started again on this machine goes on with it.
   * @defaultValue `maggma` in the folder for the state of this user, e.g. `~/.local/state/maggma`
   */
  readonly stateFolder?: string | undefined;
  /**
   * Ends a build for which no worker was there for so long, in milliseconds.
   * @defaultValue no limit, but a warning each minute
   */
  readonly workerTimeoutMs?: number | undefined;
  /**
   * Ends a chunk in which nothing was fetched, processed or written for so long, in milliseconds. That counts as a failed
   * attempt.
   * @defaultValue no limit, but a warning after 5 minutes, and less and less often
   */
  readonly chunkTimeoutMs?: number | undefined;
  /**
   * Tries chunks again that an earlier manager of the same run had given up.
   * @defaultValue `false`
   */
  readonly retryDead?: boolean | undefined;
}

/** Options of {@link DistributedWorker}. */
export interface DistributedWorkerOptions extends DistributedOptions {
  /**
   * How many chunks are built at the same time, each in a process of its own.
   * @defaultValue `1`
   */
  readonly slots?: number | undefined;
  /**
   * How many workers process the items of each chunk, as those of a {@link MultiProcessor} do.
   * @defaultValue the chunk's process does it itself; a builder with a time limit gets one worker
   */
  readonly numWorkers?: number | undefined;
  /**
   * What these workers are: see {@link MultiProcessorOptions}.
   * @defaultValue `'thread'`, where there are any
   */
  readonly isolation?: Isolation | undefined;
  /**
   * How much memory each of these workers may use, in MB.
   * @defaultValue Node's own limit
   */
  readonly maxWorkerMemoryMb?: number | undefined;
  /**
   * Folders from which builders and stores may come, beside the one that the worker was started in: modules and
   * packages are looked for there, and nowhere else.
   * @defaultValue none
   */
  readonly allow?: readonly string[] | undefined;
  /**
   * Waits for the next run when one is over.
   * @defaultValue `false`
   */
  readonly keepAlive?: boolean | undefined;
  /**
   * Ends the worker when no manager was there for so long, in milliseconds; with `keepAlive` also between two runs.
   * @defaultValue no limit, but a warning each minute
   */
  readonly managerTimeoutMs?: number | undefined;
  /**
   * How long chunks may take to be finished after {@link DistributedWorker.stop}, in milliseconds; then they are handed
   * back.
   * @defaultValue `30_000`
   */
  readonly drainMs?: number | undefined;
}

interface Resolved {
  readonly url: URL;
  readonly secretFile: string | undefined;
  readonly leaseMs: number;
}

/** @internal */
export interface ResolvedManagerOptions extends Resolved {
  readonly numChunks: number;
  readonly policy: RetryPolicy;
  readonly stateFolder: string;
  readonly workerTimeoutMs: number;
  readonly chunkTimeoutMs: number | null;
  readonly retryDead: boolean;
  readonly itemRetries: ItemRetries | null;
}

/** @internal */
export interface ResolvedWorkerOptions extends Resolved {
  readonly slots: number;
  readonly allow: readonly string[];
  readonly keepAlive: boolean;
  readonly managerTimeoutMs: number;
  readonly drainMs: number;
  readonly processing: ChunkProcessing;
}

/** @internal */
export function resolveManagerOptions(
  options: DistributedProcessorOptions,
): ResolvedManagerOptions {
  const {
    numChunks,
    attempts = 3,
    losses = 5,
    backoffMs = BACKOFF_MS,
    stateFolder = usersStateFolder(),
    workerTimeoutMs,
    chunkTimeoutMs,
    retryDead = false,
    retry,
  } = options;
  assertPositiveInteger('numChunks', numChunks);
  if (numChunks > MAX_CHUNKS)
    throw new InvalidOptionError('numChunks', `at most ${MAX_CHUNKS}`, numChunks);
  assertPositiveInteger('attempts', attempts);
  assertPositiveInteger('losses', losses);
  assertNonNegativeInteger('backoffMs', backoffMs);
  assertNonEmptyString('stateFolder', stateFolder);
  if (workerTimeoutMs !== undefined) assertPositiveInteger('workerTimeoutMs', workerTimeoutMs);
  if (chunkTimeoutMs !== undefined) assertPositiveInteger('chunkTimeoutMs', chunkTimeoutMs);
  assertBoolean('retryDead', retryDead);
  if (retry?.on !== undefined)
    throw new InvalidOptionError(
      'retry.on',
      'left out: a function cannot be sent to workers',
      retry.on,
    );
  return {
    ...resolveShared(options),
    numChunks,
    policy: { attempts, losses, backoffMs },
    stateFolder: path.resolve(stateFolder),
    workerTimeoutMs: workerTimeoutMs ?? Number.POSITIVE_INFINITY,
    chunkTimeoutMs: chunkTimeoutMs ?? null,
    retryDead,
    itemRetries: retry ? { attempts: retry.attempts ?? 3, delayMs: retry.delayMs ?? 1000 } : null,
  };
}

/** @internal */
export function resolveWorkerOptions(options: DistributedWorkerOptions): ResolvedWorkerOptions {
  const { slots = 1, allow = [], keepAlive = false, drainMs = DRAIN_MS } = options;
  const { numWorkers, isolation, maxWorkerMemoryMb, managerTimeoutMs } = options;
  assertPositiveInteger('slots', slots);
  if (slots > MAX_WORKERS) throw new InvalidOptionError('slots', `at most ${MAX_WORKERS}`, slots);
  if (!Array.isArray(allow)) throw new InvalidOptionError('allow', 'a list of folders', allow);
  for (const folder of allow) assertNonEmptyString('allow', folder);
  assertBoolean('keepAlive', keepAlive);
  if (managerTimeoutMs !== undefined) assertPositiveInteger('managerTimeoutMs', managerTimeoutMs);
  assertNonNegativeInteger('drainMs', drainMs);
  const given = Object.entries({ numWorkers, isolation, maxWorkerMemoryMb });
  const processing = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  resolveMultiProcessorOptions(processing);
  return {
    ...resolveShared(options),
    ...{ slots, allow: [...allow], keepAlive, drainMs, processing },
    managerTimeoutMs: managerTimeoutMs ?? Number.POSITIVE_INFINITY,
  };
}

function resolveShared({ url, secretFile, leaseMs = LEASE_MS }: DistributedOptions): Resolved {
  assertPositiveInteger('leaseMs', leaseMs);
  if (leaseMs < MIN_LEASE_MS)
    throw new InvalidOptionError('leaseMs', `at least ${MIN_LEASE_MS}`, leaseMs);
  if (secretFile !== undefined) assertNonEmptyString('secretFile', secretFile);
  return { url: engineUrl(url), secretFile, leaseMs };
}
