import type { ManagerMessage, WorkerMessage } from './messages.js';
import type { Timings } from './timings.js';
import { timingsFor } from './timings.js';

/** What a manager says, without what only the caller can read. */
export type LeaseMessage =
  | Exclude<ManagerMessage, { type: 'CHUNK' | 'STAGE' | 'REFUSED' }>
  | {
      readonly type: 'CHUNK';
      readonly stage: number;
      readonly index: number;
      readonly token: string;
      readonly attempt: number;
    };

/** How a lease ends by the worker's will; repeated until it is recorded. */
export type LeaseEnd = Extract<WorkerMessage, { type: 'DONE' | 'FAIL' | 'NACK' }>;

/** What is to be done, in this order. */
export type LeaseEffect =
  | { readonly type: 'send'; readonly message: WorkerMessage }
  /** A chunk that was waited for. */
  | { readonly type: 'start'; readonly token: string }
  /** The manager said, when it was asked at that time or later, that the lease is held. */
  | { readonly type: 'held'; readonly token: string; readonly askedAt: number }
  | { readonly type: 'lost'; readonly token: string }
  /** Its end is recorded. */
  | { readonly type: 'recorded'; readonly token: string }
  /** The manager is silent. */
  | { readonly type: 'reconnect' }
  /** The run is over. */
  | { readonly type: 'exit' };

interface OwnLease {
  readonly stage: number;
  readonly index: number;
  readonly token: string;
  /** What is repeated until it is answered; null while the chunk is worked on. */
  end: LeaseEnd | null;
  saidAt: number;
  /** Until then it is held, whatever happens meanwhile. */
  certainUntil: number;
}

/** A heartbeat without an answer. */
interface Beat {
  readonly sentAt: number;
  readonly tokens: readonly string[];
}

/**
 * The worker's side of the protocol: which leases it holds, and what the manager has to hear.
 *
 * It knows nothing of sockets and clocks: it is told what happens, and when, and answers what is to be done.
 */
export class WorkerLeases {
  readonly #leases = new Map<string, OwnLease>();
  readonly #beats = new Map<number, Beat>();
  #timings: Timings;
  #run: string | undefined;
  #wanted = 0;
  #isWelcome = false;
  #beat = 0;
  #beatenAt = 0;
  #heardAt = 0;
  #effects: LeaseEffect[] = [];

  /** @param leaseMs - Until the manager says how long a lease lasts. */
  constructor(leaseMs: number) {
    this.#timings = timingsFor(leaseMs);
  }

  get timings(): Timings {
    return this.#timings;
  }

  /** The leases whose chunks are worked on. */
  working(): string[] {
    return [...this.#leases.values()].filter(({ end }) => end === null).map(({ token }) => token);
  }

  /** Whether nobody else can have the lease at this time. */
  isCertain(token: string, now: number): boolean {
    return now < (this.#leases.get(token)?.certainUntil ?? Number.NEGATIVE_INFINITY);
  }

  /** A connection is there, and HELLO was said. */
  connected(now: number): void {
    this.#heardAt = now;
  }

  disconnected(): void {
    this.#isWelcome = false;
    this.#beats.clear();
  }

  /** So many chunks are waited for. */
  want(wanted: number): LeaseEffect[] {
    this.#wanted = wanted;
    if (this.#isWelcome) this.#say({ type: 'PULL', held: [...this.#leases.keys()], wanted });
    return this.#answer();
  }

  /** Asks whether leases are held. */
  ask(now: number): LeaseEffect[] {
    if (this.#isWelcome) this.#sendBeat(now);
    return this.#answer();
  }

  /** Ends a lease. */
  end(end: LeaseEnd, now: number): LeaseEffect[] {
    const lease = this.#leases.get(end.token);
    if (lease !== undefined) {
      lease.end = end;
      this.#sayEnd(lease, now);
    }
    return this.#answer();
  }

  receive(message: LeaseMessage, now: number): LeaseEffect[] {
    this.#heardAt = now;
    switch (message.type) {
      case 'WELCOME':
        this.#welcome(message, now);
        break;
      case 'CHUNK':
        this.#accept(message, now);
        break;
      case 'HBOK':
        this.#hearBeat(message.n, new Set(message.lost));
        break;
      case 'LOST':
        this.#lose(message.token);
        break;
      case 'OK':
        if (this.#leases.get(message.token)?.end != null) {
          this.#leases.delete(message.token);
          this.#effects.push({ type: 'recorded', token: message.token });
        }
        break;
      case 'EXIT':
        for (const token of [...this.#leases.keys()]) this.#drop(token);
        this.#effects.push({ type: 'exit' });
        break;
      default:
        message satisfies never;
    }
    return this.#answer();
  }

  /** Time has passed. */
  tick(now: number): LeaseEffect[] {
    const { leaseMs, heartbeatMs, repeatMs } = this.#timings;
    if (now - this.#heardAt >= leaseMs) {
      this.#heardAt = now;
      this.#effects.push({ type: 'reconnect' });
    } else if (this.#isWelcome) {
      if (now - this.#beatenAt >= heartbeatMs) this.#sendBeat(now);
      for (const lease of this.#leases.values())
        if (lease.end !== null && now - lease.saidAt >= repeatMs) this.#sayEnd(lease, now);
    }
    return this.#answer();
  }

  #welcome({ run, leaseMs }: { run: string; leaseMs: number }, now: number): void {
    this.#isWelcome = true;
    this.#timings = timingsFor(leaseMs);
    // What was given for another run is nobody's concern in this one.
    if (this.#run !== run) for (const token of [...this.#leases.keys()]) this.#drop(token);
    this.#run = run;
    this.#sendBeat(now);
    for (const lease of this.#leases.values()) if (lease.end !== null) this.#sayEnd(lease, now);
  }

  #accept({ stage, index, token }: Extract<LeaseMessage, { type: 'CHUNK' }>, now: number): void {
    if (this.#leases.has(token)) return;
    const lease = { stage, index, token, end: null, saidAt: now, certainUntil: now };
    if (this.#wanted > 0) {
      this.#wanted--;
      this.#leases.set(token, lease);
      this.#effects.push({ type: 'start', token });
    } else this.#say({ type: 'NACK', stage, index, token });
  }

  #hearBeat(n: number, lost: ReadonlySet<string>): void {
    const beat = this.#beats.get(n);
    if (beat === undefined) return;
    for (const earlier of this.#beats.keys()) if (earlier <= n) this.#beats.delete(earlier);
    for (const token of beat.tokens) {
      const lease = this.#leases.get(token);
      if (lost.has(token)) this.#lose(token);
      else if (lease !== undefined) {
        // However soon the socket breaks, the manager waits that long; counted from when it was asked.
        const until = beat.sentAt + this.#timings.closedMs;
        lease.certainUntil = Math.max(lease.certainUntil, until);
        this.#effects.push({ type: 'held', token, askedAt: beat.sentAt });
      }
    }
  }

  /** What has ended already is answered in any case. */
  #lose(token: string): void {
    if (this.#leases.get(token)?.end === null) this.#drop(token);
  }

  #drop(token: string): void {
    this.#leases.delete(token);
    this.#effects.push({ type: 'lost', token });
  }

  #sendBeat(now: number): void {
    const tokens = [...this.#leases.keys()];
    this.#beatenAt = now;
    this.#beats.set(++this.#beat, { sentAt: now, tokens });
    this.#say({ type: 'HB', n: this.#beat, held: tokens, wanted: this.#wanted });
  }

  #sayEnd(lease: OwnLease, now: number): void {
    lease.saidAt = now;
    if (this.#isWelcome && lease.end !== null) this.#say(lease.end);
  }

  #say(message: WorkerMessage): void {
    this.#effects.push({ type: 'send', message });
  }

  #answer(): LeaseEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
