/** How long things take and last, in milliseconds. */
export interface Timings {
  /** A lease lasts that long without a heartbeat. Who was silent for as long is taken for dead. */
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** How often the clock is looked at. */
  readonly tickMs: number;
  /** A lease ends that long after its worker's socket was closed. */
  readonly closedMs: number;
  /** What was not answered is said again. */
  readonly repeatMs: number;
  /** The first and the longest pause before a worker connects again. */
  readonly reconnectMs: readonly [first: number, longest: number];
}

/** So long may a stranger take to prove that it knows the secret, and to say who it is. */
export const HELLO_MS = 5000;

/** At most what the protocol says for the usual lease of 15 s; in proportion for shorter ones. */
export function timingsFor(leaseMs: number): Timings {
  const atMost = (ms: number) => Math.max(1, Math.min(ms, (ms / 15_000) * leaseMs));
  return {
    leaseMs,
    heartbeatMs: leaseMs / 3,
    tickMs: atMost(250),
    closedMs: atMost(2000),
    repeatMs: atMost(1000),
    reconnectMs: [atMost(200), atMost(5000)],
  };
}

/**
 * How long to wait before connecting again.
 *
 * @param attempt - How often that was tried in vain, from 0.
 * @param random - From 0 to below 1, so that workers do not all come at once.
 */
export function reconnectPause(
  attempt: number,
  { reconnectMs: [first, longest] }: Timings,
  random: number,
): number {
  return Math.min(longest, first * 2 ** attempt) * (0.5 + random / 2);
}
