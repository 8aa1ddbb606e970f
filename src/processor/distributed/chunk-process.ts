import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PortableError } from '../../errors/error-transfer.js';
import { toPortable } from '../../errors/error-transfer.js';
import type { PlainRecord } from '../../msonable/plain-value.js';
import { runnable } from '../../util/own-files.js';
import { settledWithin } from '../../util/turn.js';
import type { LogLine } from '../multiprocess/log-line.js';
import type { MultiProcessorOptions } from '../multiprocess/multi-processor-options.js';
import type { ChunkProgress, ChunkResult } from './engine.js';
import type { StageHeader } from './stage-header.js';

/** How long the system may take to end a process that it was told to kill. */
const END_MS = 2000;

const CHILD = fileURLToPath(runnable('processor/distributed/chunk-child'));

/** How a worker processes the items of a chunk. */
export type ChunkProcessing = Pick<
  MultiProcessorOptions,
  'numWorkers' | 'isolation' | 'maxWorkerMemoryMb'
>;

/** What a process is to build. */
export interface ChunkJob {
  readonly header: StageHeader;
  /** The arguments in which the chunk differs. */
  readonly change: PlainRecord;
  /** Folders from which code may come beside the current one. */
  readonly allow: readonly string[];
  readonly processing: ChunkProcessing;
}

/** What is said to the process. */
export type ToChunkProcess =
  | { readonly kind: 'job'; readonly job: ChunkJob }
  /** The answer to `may I write?`. */
  | { readonly kind: 'held'; readonly isHeld: boolean };

/** How a chunk ended. */
export type ChunkEnd =
  | { readonly kind: 'done'; readonly result: ChunkResult }
  /** `isFatal`: it would fail again. */
  | { readonly kind: 'failed'; readonly error: PortableError; readonly isFatal: boolean }
  | { readonly kind: 'lost'; readonly problem: string };

/** What the process says. */
export type FromChunkProcess =
  | { readonly kind: 'progress'; readonly progress: ChunkProgress }
  | { readonly kind: 'updating'; readonly items: number }
  | { readonly kind: 'may I write?' }
  | { readonly kind: 'log'; readonly line: LogLine }
  | ChunkEnd;

/** Whoever waits for a chunk. */
export interface ChunkListener {
  onProgress(progress: ChunkProgress): void;
  onUpdating(items: number): void;
  onLog(line: LogLine): void;
  /** Asked before each write. */
  isHeld(): Promise<boolean>;
}

/**
 * A process that builds one chunk at a time, and runs the code of users, which may block, leak and die there.
 *
 * It ends by itself when this process is gone.
 */
export class ChunkProcess {
  readonly #child: ChildProcess;
  #listener: ChunkListener | undefined;
  #settle: (end: ChunkEnd) => void = () => undefined;
  #problem: string | undefined;

  constructor() {
    // Options of this process's own (--inspect, the hooks of tsx) are not for chunks.
    this.#child = fork(CHILD, [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => this.#hear(message as FromChunkProcess));
    this.#child.on('error', (error) => this.#lose(`cannot be reached: ${error.message}`));
    this.#child.on('exit', (code, signal) =>
      this.#lose(signal === null ? `exited with code ${code}` : `was killed by ${signal}`),
    );
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#problem !== undefined;
  }

  /** Builds a chunk; one at a time. After any end but `done` the process is of no more use. */
  run(job: ChunkJob, listener: ChunkListener): Promise<ChunkEnd> {
    return new Promise((resolve) => {
      this.#listener = listener;
      this.#settle = resolve;
      if (this.#problem !== undefined) resolve({ kind: 'lost', problem: this.#problem });
      else this.#send({ kind: 'job', job });
    });
  }

  /** Ends it, whatever it is doing. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.#child, 'exit').catch(() => undefined);
    this.#child.kill('SIGKILL');
    await settledWithin(exit, END_MS);
  }

  #send(message: ToChunkProcess): void {
    // A failure means that the process is gone, which its exit tells.
    this.#child.send(message, () => undefined);
  }

  #hear(message: FromChunkProcess): void {
    if (message.kind === 'progress') this.#listener?.onProgress(message.progress);
    else if (message.kind === 'updating') this.#listener?.onUpdating(message.items);
    else if (message.kind === 'log') this.#listener?.onLog(message.line);
    else if (message.kind === 'may I write?') void this.#answer();
    else this.#settle(message);
  }

  async #answer(): Promise<void> {
    try {
      this.#send({ kind: 'held', isHeld: (await this.#listener?.isHeld()) ?? false });
    } catch (error) {
      // Whether it is held cannot be found out, so that it must not write.
      this.#settle({ kind: 'failed', error: toPortable(error), isFatal: false });
    }
  }

  #lose(problem: string): void {
    this.#problem ??= problem;
    this.#settle({ kind: 'lost', problem });
  }
}

/** Processes that are started ahead; those that nobody takes are ended. */
export class ChunkProcesses implements AsyncDisposable {
  readonly #started: ChunkProcess[];

  constructor(count: number) {
    this.#started = Array.from({ length: count }, () => new ChunkProcess());
  }

  /** Whoever takes one ends it. */
  take(): ChunkProcess | undefined {
    return this.#started.pop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((process) => process.end()));
  }
}
