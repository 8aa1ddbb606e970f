// What options of processors may be. Imports nothing: the command line asks, which does not load the library for its help.

/** What a worker is: see {@link MultiProcessorOptions}. */
export type Isolation = 'thread' | 'process';
export const ISOLATIONS = ['thread', 'process'] as const satisfies readonly Isolation[];

/** More would only be a mistake. */
export const MAX_WORKERS = 1024;
/** More would only be a mistake. */
export const MAX_CHUNKS = 1_000_000;
