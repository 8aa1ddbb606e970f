import type { Timings } from './timings.js';

/** A worker that is there, or was a moment ago. */
export interface Peer {
  readonly worker: string;
  readonly slots: number;
  /** Null when its socket is closed. */
  connection: number | null;
  /** How many chunks it waits for. */
  wanted: number;
  heardAt: number;
  closedAt: number;
}

/** Who is there, over which connection, and who may be given a chunk. */
export class WorkerRoster {
  readonly #timings: Timings;
  readonly #peers = new Map<string, Peer>();
  readonly #connections = new Map<number, Peer>();
  /** Those that may be given a chunk, the one that waited longest first. */
  readonly #hungry = new Set<Peer>();

  constructor(timings: Timings) {
    this.#timings = timings;
  }

  connections(): Iterable<number> {
    return this.#connections.keys();
  }

  connected(): Iterable<Peer> {
    return this.#connections.values();
  }

  hungry(): Iterable<Peer> {
    return this.#hungry;
  }

  at(connection: number): Peer | undefined {
    return this.#connections.get(connection);
  }

  called(worker: string): Peer | undefined {
    return this.#peers.get(worker);
  }

  join(peer: Peer & { connection: number }): void {
    this.#peers.set(peer.worker, peer);
    this.#connections.set(peer.connection, peer);
  }

  /** Its socket is closed; it may come back. */
  drop(connection: number, now: number): Peer | undefined {
    const peer = this.#connections.get(connection);
    if (peer === undefined) return undefined;
    this.#connections.delete(connection);
    this.#hungry.delete(peer);
    peer.connection = null;
    peer.closedAt = now;
    return peer;
  }

  /** It does not come back. */
  forget({ worker }: Peer): void {
    this.#peers.delete(worker);
  }

  /** Notes whether it may be given a chunk; if so, after all others. */
  review(peer: Peer, held: number): void {
    const isHungry = peer.connection !== null && peer.wanted > 0 && held < peer.slots;
    if (!isHungry) this.#hungry.delete(peer);
    else this.#hungry.add(peer);
  }

  /** It was given a chunk. */
  serve(peer: Peer): void {
    peer.wanted--;
    this.#hungry.delete(peer);
  }

  /** Connections over which nothing was heard for too long. */
  silent(now: number): number[] {
    const isSilent = ([, { heardAt }]: [number, Peer]) => now - heardAt >= this.#timings.leaseMs;
    return [...this.#connections].filter(isSilent).map(([connection]) => connection);
  }

  /** Those whose socket has been closed for too long. */
  gone(now: number): Peer[] {
    const { closedMs } = this.#timings;
    return [...this.#peers.values()].filter(
      ({ connection, closedAt }) => connection === null && now - closedAt >= closedMs,
    );
  }

  /** Nobody is judged by time in which nobody listened. */
  postpone(ms: number): void {
    for (const peer of this.#peers.values()) {
      peer.heardAt += ms;
      peer.closedAt += ms;
    }
  }
}
