import type { PortableError } from '../errors/error-transfer.js';
import type { BuildCounts, BuildReport, BuildStatus, ItemFailure } from './build-report.js';

/** What every event of a build carries. */
export interface BuildEvent {
  /** Class name of the builder. */
  readonly builder: string;
  /** A UUID, the same in all events of the build. */
  readonly buildId: string;
}

/** The stores are open and the first item is there, or opening them failed. */
export interface BuildStartedEvent extends BuildEvent {
  /** Names of the source stores. */
  readonly sources: string[];
  /** Names of the target stores. */
  readonly targets: string[];
  /** How many items there are to build, where the builder knows. */
  readonly total: number | null;
  /** The builder's own version. */
  readonly version: string | number;
}

/** How far each stage has come, in items. */
export interface ProgressEvent extends BuildEvent {
  /** How many the source gave. */
  readonly fetched: number;
  /** How many were processed, whatever came of them. */
  readonly processed: number;
  /** How many are settled: their results are written, or there is nothing to write. */
  readonly written: number;
  readonly total: number | null;
}

/** An item was not built; the build goes on. */
export interface ItemFailedEvent extends BuildEvent, ItemFailure {}

/** `updateTargets` is about to be called. */
export interface UpdateEvent extends BuildEvent {
  /** With how many results. */
  readonly items: number;
}

/** The build is over, for whatever reason. */
export interface BuildEndedEvent extends BuildEvent, Readonly<BuildCounts> {
  readonly status: BuildStatus;
  readonly total: number | null;
  readonly errors: number;
  readonly warnings: number;
  readonly durationMs: number;
  /** How long each stage was at work, in milliseconds; stages overlap. */
  readonly stageMs: BuildReport['stageMs'];
  readonly error?: PortableError;
}

/**
 * What a processor announces, in the order
 * `BUILD_STARTED (PROGRESS | ITEM_FAILED | UPDATE)* BUILD_ENDED` for each build.
 */
export type BuildEvents = {
  /** The first event of a build, also of one that cannot open its stores. */
  BUILD_STARTED: [event: BuildStartedEvent];
  /** Comes at most ten times a second, and once at the end. */
  PROGRESS: [event: ProgressEvent];
  /** Comes once for each item that was not built. */
  ITEM_FAILED: [event: ItemFailedEvent];
  /** Comes before each call of `updateTargets`. */
  UPDATE: [event: UpdateEvent];
  /** The last event of a build, exactly once. */
  BUILD_ENDED: [event: BuildEndedEvent];
};
