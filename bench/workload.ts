/** Leaves something to be done after the measurement; what was left last is done first. */
export type Defer = (cleanUp: () => Promise<unknown>) => void;

/** One side of a comparison: prepares what it needs, and returns what is measured. */
export type Variant = (
  size: number,
  folder: string,
  defer: Defer,
) => Promise<() => Promise<unknown>>;

/** A comparison of what the library does with the least that does the same work. */
export interface Workload {
  readonly title: string;
  /** How many items; growth is measured between the first and the last. */
  readonly sizes: readonly number[];
  readonly ours: Variant;
  /** What `ours` is divided by. */
  readonly floor: Variant;
  /** What the floor is, in a few words. */
  readonly floorName: string;
  /**
   * How often each side is measured.
   * @defaultValue `5`
   */
  readonly rounds?: number;
  /** The environment variable without which it cannot run. */
  readonly needs?: string;
  /** The command without which it cannot run. */
  readonly needsCommand?: string;
  /** The largest ratio that is good. */
  readonly target: number;
  /** The largest exponent of growth that is good. */
  readonly targetExponent: number;
}

/** A comparison of two commands by their wall time. */
export interface CommandWorkload {
  readonly title: string;
  /** Arguments of `node`; files are seen from the folder that `prepare` made ready. */
  readonly args: readonly string[];
  readonly floorArgs: readonly string[];
  readonly floorName: string;
  /** How many milliseconds longer than the floor are good. */
  readonly targetExtraMs: number;
  prepare(folder: string): Promise<void>;
}
