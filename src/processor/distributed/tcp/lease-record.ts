import type { PortableError } from '../../../errors/error-transfer.js';
import type { ChunkResult } from '../engine.js';

/** What happened to a chunk: enough of it, in order, to know where a stage stands. */
export type LeaseRecord =
  | {
      readonly type: 'lease';
      readonly index: number;
      readonly token: string;
      readonly worker: string;
    }
  /** Handed back, or never arrived: nothing is counted. */
  | { readonly type: 'back'; readonly index: number }
  /** Failed, and is tried again. */
  | { readonly type: 'fail'; readonly index: number; readonly error: PortableError }
  /** Its worker is gone, and it is tried again. */
  | { readonly type: 'loss'; readonly index: number }
  | { readonly type: 'done'; readonly index: number; readonly result: ChunkResult }
  /** Out of retries. */
  | {
      readonly type: 'dead';
      readonly index: number;
      readonly by: 'failure' | 'loss';
      readonly error: PortableError;
    }
  /** All dead chunks are tried again. */
  | { readonly type: 'revive' };
