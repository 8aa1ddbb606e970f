/** How long things take and last, in milliseconds. */
export interface Timings {
  /** A lease lasts that long without being renewed. */
  readonly leaseMs: number;
  /** How often each session looks at the run, and says that it is there. */
  readonly beatMs: number;
  /** How old a lease gets before it is renewed. */
  readonly renewMs: number;
  /** How often workers look for leases that have ended. */
  readonly stalledMs: number;
  /** A worker that is silent for so long is called lost; nothing is decided by that. */
  readonly silentMs: number;
  /** How often the manager looks whether its stage is settled. */
  readonly lookMs: number;
}

export function timingsFor(leaseMs: number): Timings {
  const beatMs = Math.min(1000, leaseMs / 5);
  return {
    leaseMs,
    beatMs,
    renewMs: leaseMs / 3 - beatMs,
    stalledMs: leaseMs / 2,
    silentMs: leaseMs * 0.6,
    lookMs: Math.min(200, leaseMs / 5),
  };
}
