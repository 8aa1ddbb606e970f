import type { BuildCounts, ItemFailure } from '../../builder/build-report.js';
import type { PortableError } from '../../errors/error-transfer.js';
import type { Logger } from '../../util/logger.js';

/** Something encrypted and authenticated, as base64; only who has the secret of the run can read or make it. */
export type Sealed = string;

/** Names one chunk of one run. */
export interface ChunkId {
  readonly run: string;
  /** Index of the builder in the run. */
  readonly stage: number;
  /** Index of the chunk in its stage. */
  readonly index: number;
}

/** What a manager is about to do, or to go on with. */
export interface RunDescription {
  /** A label for people. */
  readonly name: string;
  /** Class names of the builders, in their order. */
  readonly builders: readonly string[];
  /** Equal for two managers that mean the same run: their builders, and how they are cut. */
  readonly digest: string;
}

/** Where a run stands when a manager takes it over. */
export interface RunState {
  /** The run's id. */
  readonly run: string;
  /** The first stage that is not finished; `builders.length` when all are. */
  readonly stage: number;
  /** Whether the plan of that stage is durable. */
  readonly planned: boolean;
  /** {@link StagePlan.header} of that plan. */
  readonly header: Sealed | undefined;
  /** What {@link ManagerSession.finish} was told of each stage before. */
  readonly notes: readonly string[];
}

/** All chunks of one stage. */
export interface StagePlan {
  /** What all chunks share: the builder. */
  readonly header: Sealed;
  /** What each has of its own: changes to the builder's arguments. May be empty. */
  readonly chunks: readonly Sealed[];
}

/** How often a chunk is tried. */
export interface RetryPolicy {
  /** How often it may fail before it is dead. */
  readonly attempts: number;
  /** How often its worker may die before it is dead. */
  readonly losses: number;
  /** Milliseconds before it is tried again after the first failure; doubled after each further one. */
  readonly backoffMs: number;
}

/** What came of a chunk, or of several, added up. */
export interface ChunkResult extends Readonly<BuildCounts> {
  readonly errors: number;
  readonly warnings: number;
  /** The first ones. */
  readonly failures: readonly ItemFailure[];
}

/** A chunk that is out of retries. */
export interface DeadChunk {
  readonly index: number;
  readonly attempts: number;
  readonly losses: number;
  readonly error: PortableError;
}

/** What came of a stage. */
export interface StageOutcome {
  readonly completed: number;
  readonly dead: readonly DeadChunk[];
  /** The results of all completed chunks. */
  readonly result: ChunkResult;
}

/** How far a worker has come with its chunk. */
export interface ChunkProgress {
  readonly fetched: number;
  readonly processed: number;
  readonly written: number;
  readonly total: number | null;
  /** How many of its items failed. */
  readonly failed: number;
  /** Those of them that were not told before; the first ones. */
  readonly failures: readonly ItemFailure[];
}

/** What happens to chunks and workers. Best effort: nothing is decided by it. */
export type ChunkEvent =
  | {
      readonly type: 'CHUNK_LEASED';
      readonly stage: number;
      readonly index: number;
      readonly worker: string;
      readonly attempt: number;
    }
  | {
      readonly type: 'CHUNK_PROGRESS';
      readonly stage: number;
      readonly index: number;
      readonly progress: ChunkProgress;
    }
  | {
      readonly type: 'CHUNK_UPDATE';
      readonly stage: number;
      readonly index: number;
      readonly items: number;
    }
  | {
      readonly type: 'CHUNK_DONE';
      readonly stage: number;
      readonly index: number;
      readonly result: ChunkResult;
    }
  | {
      readonly type: 'CHUNK_RETRY' | 'CHUNK_DEAD';
      readonly stage: number;
      readonly index: number;
      readonly error: PortableError;
    }
  | {
      readonly type: 'CHUNK_LOST';
      readonly stage: number;
      readonly index: number;
      readonly worker: string;
    }
  | {
      readonly type: 'WORKER_JOINED';
      readonly worker: string;
      readonly slots: number;
      /** {@link WorkerOptions.version} */
      readonly version: string;
    }
  | {
      readonly type: 'WORKER_LEFT' | 'WORKER_LOST';
      readonly worker: string;
      readonly slots: number;
    }
  | {
      readonly type: 'WORKER_LOG';
      readonly worker: string;
      readonly logger: string;
      readonly level: 'warning' | 'error' | 'fatal';
      readonly message: string;
    };

/** What both sides of an engine need. */
interface EngineOptions {
  /** Where manager and workers meet. */
  readonly url: URL;
  /** The secret of the run: 32 bytes. */
  readonly secret: Uint8Array;
  /** How long a lease lasts without a heartbeat, in milliseconds. */
  readonly leaseMs: number;
  /** Where it says what it does. */
  readonly logger: Logger;
}

/** What a manager tells its engine. */
export interface ManagerOptions extends EngineOptions {
  /** Where a run is remembered that has no broker. */
  readonly stateFolder: string;
}

/** What a worker tells its engine. */
export interface WorkerOptions extends EngineOptions {
  /** The worker's name, unique: host, process, a random part. */
  readonly worker: string;
  /** How many chunks it works on at the same time. */
  readonly slots: number;
  /** Digest of the versions of the packages that it builds with. */
  readonly version: string;
}

/** A way for manager and workers to find each other and share out chunks: at least once each. */
export interface DistributedEngine {
  /** Of its URLs, without colons. */
  readonly schemes: readonly string[];
  manager(options: ManagerOptions): Promise<ManagerSession>;
  worker(options: WorkerOptions): Promise<WorkerSession>;
}

/** The manager's side of one run. */
export interface ManagerSession extends AsyncDisposable {
  /** Where workers find it, without secrets. */
  readonly address: string;
  /**
   * Creates the run, or takes it over from a manager that died.
   *
   * @throws the reason of the signal when it fires while this one waits for its turn.
   */
  begin(run: RunDescription, signal?: AbortSignal): Promise<RunState>;
  /** Makes the plan of a stage durable, and only then shows its chunks to workers. */
  submit(stage: number, plan: StagePlan, policy: RetryPolicy): Promise<void>;
  /** Resolves when every chunk of the stage is done or dead; asks for the state, never waits for an event. */
  settle(stage: number, signal?: AbortSignal): Promise<StageOutcome>;
  /** Puts the dead chunks of a stage back, with all of their retries. */
  revive(stage: number): Promise<number>;
  /**
   * The stage is finalized, or was not even planned: a manager that takes over goes on with the next one.
   *
   * @param note - What that manager has to know of it.
   */
  finish(stage: number, note: string): Promise<void>;
  /** The run is over: its state is removed, and workers leave. */
  end(): Promise<void>;
  /** How many workers are there, with how many slots. */
  workers(): Promise<{ readonly count: number; readonly slots: number }>;
  /** Ends when the session is disposed of. One reader. */
  events(): AsyncIterable<ChunkEvent>;
}

/** A worker's side. */
export interface WorkerSession extends AsyncDisposable {
  /** Where it looks for work, without secrets. */
  readonly address: string;
  /** Whether there is somebody to work for: a manager, or what it left to be done. */
  readonly isServed: boolean;
  /**
   * Waits for a chunk.
   *
   * @returns undefined when the signal fired.
   */
  receive(signal?: AbortSignal): Promise<Lease | 'run-finished' | undefined>;
  /** Passes a log line on to the manager. Best effort. */
  log(line: {
    readonly logger: string;
    readonly level: 'warning' | 'error' | 'fatal';
    readonly message: string;
  }): void;
}

/** The exclusive right to work on a chunk, renewed by the session until it is acknowledged, handed back or lost. */
export interface Lease {
  readonly id: ChunkId;
  /** Counts from 1. */
  readonly attempt: number;
  readonly header: Sealed;
  readonly payload: Sealed;
  /** Fires when another worker may have the chunk: stop before the next write. */
  readonly lost: AbortSignal;
  /** Resolves to whether the lease is certainly still held, asking the other side when its time may be over. */
  held(): Promise<boolean>;
  progress(progress: ChunkProgress): void;
  /** Results are about to be written. */
  updating(items: number): void;
  /** Done. Resolves when it is recorded for good. */
  ack(result: ChunkResult): Promise<void>;
  /** Failed; `fatal` when trying again is of no use. */
  nack(error: PortableError, options?: { readonly fatal?: boolean }): Promise<void>;
  /** Handed back: no attempt is counted. */
  release(): Promise<void>;
}
