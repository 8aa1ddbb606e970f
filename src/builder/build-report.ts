import type { PortableError } from '../errors/error-transfer.js';

/** How a build ended; `skipped` when it was not run because one that it depends on failed. */
export type BuildStatus = 'succeeded' | 'failed' | 'cancelled' | 'skipped';

/** Why an item was not built. */
export type FailureCause = 'error' | 'timeout' | 'worker-lost' | 'unserializable';

/** One item that was not built. */
export interface ItemFailure {
  /** What the builder calls the item. */
  readonly key: unknown;
  readonly cause: FailureCause;
  /** How many times it was tried. */
  readonly attempts: number;
  /** How long the last attempt took, in milliseconds. */
  readonly durationMs: number;
  readonly error: PortableError;
}

/** How many items came to which end; `processed` is the sum of the other four. */
export interface BuildCounts {
  processed: number;
  /** Their results were written. */
  succeeded: number;
  /** They threw, took too long, … */
  failed: number;
  /** The builder returned nothing for them. */
  skipped: number;
  /** The target refused their results. */
  invalid: number;
}

/** What came of a build. */
export interface BuildReport extends Readonly<BuildCounts> {
  /** A UUID, the same in all events of the build. */
  readonly buildId: string;
  /** Class name of the builder. */
  readonly builder: string;
  /** Names of the source stores. */
  readonly sources: string[];
  /** Names of the target stores. */
  readonly targets: string[];
  readonly status: BuildStatus;
  /** How many items there were to build, where the builder knew. */
  readonly total: number | null;
  /** `failed`, and what the builder logged as an error. */
  readonly errors: number;
  /** `invalid`, and what the builder logged as a warning. */
  readonly warnings: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  /** How long each stage was at work, in milliseconds; stages overlap. */
  readonly stageMs: { readonly get: number; readonly process: number; readonly update: number };
  /** The first 100. */
  readonly failures: readonly ItemFailure[];
  /** What ended a failed build. */
  readonly error?: PortableError;
}
