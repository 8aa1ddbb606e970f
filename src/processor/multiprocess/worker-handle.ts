import type { PortableError } from '../../errors/error-transfer.js';
import type { LogLine } from './log-line.js';

/** How a worker was lost. */
export interface Loss {
  /** `timeout`: a step took too long, and the worker was ended for it. */
  readonly reason: 'timeout' | 'death';
  /** The step of the job that it was at, from 0; null when that is not known. */
  readonly step: number | null;
  /** How long that step had been at work, in milliseconds. */
  readonly elapsedMs: number;
  /** How it died, in a few words: `exited with code 3`. */
  readonly problem: string;
}

/** A finished job. */
export interface JobDone {
  readonly kind: 'done';
  /** The answer. */
  readonly frame: Uint8Array;
  /** How long the steps took, in milliseconds. */
  readonly workMs: number;
  /** What the job's user code logged at these levels. */
  readonly errors: number;
  readonly warnings: number;
}

/** What a worker says. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  /** It cannot do its work, and no other worker could. */
  | { readonly kind: 'refused'; readonly error: PortableError }
  | { readonly kind: 'log'; readonly line: LogLine }
  | JobDone
  /** The last message: it is no more. */
  | { readonly kind: 'lost'; readonly loss: Loss };

/** A thread or a process that works on one job at a time. A job is a frame: bytes that say what its steps are. */
export interface WorkerHandle {
  /** Gives it a job; the frame must not be used afterwards. */
  post(frame: Uint8Array<ArrayBuffer>): void;
  /** Ends it, whatever it is doing. Resolves when it is gone, or after a short time. */
  end(): Promise<void>;
}

/** What a worker is made of. */
export interface WorkerSpec {
  /** Handed to the module that runs in the worker; structured-cloneable. */
  readonly data: object;
  /** How long one step may take, in milliseconds; null for no limit. */
  readonly stepLimitMs: number | null;
  /** How much memory it may use, in MB; null for no limit. */
  readonly memoryMb: number | null;
}

/** Hears what a worker says. */
export type WorkerListener = (message: WorkerMessage) => void;
