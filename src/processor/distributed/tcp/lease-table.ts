import { randomBytes } from 'node:crypto';
import type { RetryPolicy, StageOutcome } from '../engine.js';
import type { LeaseRecord } from './lease-record.js';
import type { FromWorker, WorkerMessage } from './messages.js';
import { PROTOCOL } from './messages.js';
import type { StageContext } from './stage-leases.js';
import { StageLeases } from './stage-leases.js';
import type { TableEffect } from './table-effect.js';
import { TableEffects } from './table-effect.js';
import type { Timings } from './timings.js';
import { eventOf } from './worker-events.js';
import type { Peer } from './worker-roster.js';
import { WorkerRoster } from './worker-roster.js';

/**
 * The manager's side of the protocol: who is there, and who may work on which chunk.
 *
 * It knows nothing of sockets, clocks and disks: it is told what happens, and when, and answers what is to be done.
 */
export class LeaseTable {
  readonly #run: string;
  readonly #context: StageContext;
  #stage: number;
  #leases: StageLeases | undefined;
  #isOver = false;
  #ticked: number | undefined;

  /** @param stage - The first that is not finished. */
  constructor(
    run: string,
    stage: number,
    timings: Timings,
    newToken = () => randomBytes(12).toString('base64url'),
  ) {
    this.#run = run;
    this.#stage = stage;
    const [roster, effects] = [new WorkerRoster(timings), new TableEffects()];
    this.#context = { roster, effects, timings, newToken };
  }

  /** The stage that is worked on, or comes next. */
  get stage(): number {
    return this.#stage;
  }

  get isPlanned(): boolean {
    return this.#leases !== undefined;
  }

  get isSettled(): boolean {
    return this.#leases?.isSettled ?? false;
  }

  /** @returns undefined for a stage without a plan. */
  outcome(): StageOutcome | undefined {
    return this.#leases?.outcome();
  }

  workers(): { count: number; slots: number } {
    const peers = [...this.#context.roster.connected()];
    return { count: peers.length, slots: peers.reduce((sum, { slots }) => sum + slots, 0) };
  }

  /** How many leases a worker has. */
  heldBy(worker: string): number {
    return this.#leases?.heldBy(worker) ?? 0;
  }

  /**
   * Takes up a stage whose plan is durable.
   *
   * @param records - What has happened to its chunks. Leases of another manager last one lease from now, so that their
   * workers find time to come back.
   */
  plan(
    count: number,
    policy: RetryPolicy,
    now: number,
    records: Iterable<LeaseRecord> = [],
  ): TableEffect[] {
    this.#leases = new StageLeases(this.#stage, count, policy, this.#context);
    this.#leases.restore(records, now);
    this.#ticked ??= now;
    for (const peer of this.#context.roster.connected()) this.#review(peer);
    return this.#answer(now);
  }

  /** The stage is over. */
  finish(): void {
    this.#leases = undefined;
    this.#stage++;
  }

  /** Puts all dead chunks back. */
  revive(now: number): TableEffect[] {
    this.#leases?.revive(now);
    return this.#answer(now);
  }

  /** The run is over: whoever is there, or comes, is told to leave. */
  end(now: number): TableEffect[] {
    const { roster, effects } = this.#context;
    this.#isOver = true;
    this.#leases = undefined;
    for (const connection of roster.connections()) effects.send(connection, { type: 'EXIT' });
    return this.#answer(now);
  }

  /** A connection was closed. */
  disconnected(connection: number, now: number): TableEffect[] {
    this.#drop(connection, now);
    return this.#answer(now);
  }

  /** A message came. The first of a connection must be HELLO, and only the first. */
  receive(connection: number, message: WorkerMessage, now: number): TableEffect[] {
    const { roster, effects } = this.#context;
    const peer = roster.at(connection);
    if (message.type === 'HELLO' && peer === undefined) this.#welcome(connection, message, now);
    else if (message.type === 'HELLO' || peer === undefined) this.#close(connection, now);
    else {
      peer.heardAt = now;
      this.#hear(peer, connection, message, now);
      this.#review(peer);
    }
    if (this.#isOver && roster.at(connection)) effects.send(connection, { type: 'EXIT' });
    return this.#answer(now);
  }

  /** Time has passed. */
  tick(now: number): TableEffect[] {
    const { roster, timings } = this.#context;
    const away = now - (this.#ticked ?? now) - timings.tickMs;
    this.#ticked = now;
    // Whoever was stopped itself has not heard what was said meanwhile.
    if (away > timings.closedMs) this.#postpone(away);
    for (const connection of roster.silent(now)) this.#close(connection, now);
    this.#leases?.tick(now);
    for (const peer of roster.gone(now)) this.#forget(peer, 'WORKER_LOST');
    return this.#answer(now);
  }

  #welcome(
    connection: number,
    { v, worker, slots, version }: FromWorker<'HELLO'>,
    now: number,
  ): void {
    const { roster, effects, timings } = this.#context;
    if (v !== PROTOCOL) {
      effects.send(connection, { type: 'REFUSED', v: PROTOCOL });
      effects.close(connection);
      return;
    }
    const known = roster.called(worker);
    // It has come back, and its old socket is not known to be dead yet.
    if (known !== undefined && known.connection !== null) this.#close(known.connection, now);
    roster.join({ worker, slots, connection, wanted: 0, heardAt: now, closedAt: 0 });
    effects.send(connection, { type: 'WELCOME', run: this.#run, leaseMs: timings.leaseMs });
    if (known === undefined) effects.tell({ type: 'WORKER_JOINED', worker, slots, version });
  }

  #hear(
    peer: Peer,
    connection: number,
    message: Exclude<WorkerMessage, { type: 'HELLO' }>,
    now: number,
  ): void {
    const { effects } = this.#context;
    const { worker } = peer;
    switch (message.type) {
      case 'PULL':
        this.#feed(peer, message);
        return;
      case 'HB': {
        const { n, held } = message;
        const lost = this.#leases?.renew(worker, connection, held, now) ?? held;
        effects.send(connection, { type: 'HBOK', n, lost });
        this.#feed(peer, message);
        return;
      }
      case 'DONE':
        this.#leases?.complete(message, now);
        effects.promise(connection, { type: 'OK', token: message.token });
        return;
      case 'FAIL':
        this.#leases?.fail(message, now);
        effects.promise(connection, { type: 'OK', token: message.token });
        return;
      case 'NACK':
        // It waits for less than was thought.
        peer.wanted = 0;
        this.#leases?.giveBack(message, now);
        effects.send(connection, { type: 'OK', token: message.token });
        return;
      case 'PROGRESS':
      case 'UPDATING':
        if (this.#leases?.holds(message)) effects.tell(eventOf(message, worker));
        return;
      case 'LOG':
        effects.tell(eventOf(message, worker));
        return;
      case 'BYE':
        this.#leases?.giveAllBack(worker, now);
        this.#close(connection, now);
        this.#forget(peer, 'WORKER_LEFT');
        return;
      default:
        message satisfies never;
    }
  }

  /** What is on its way to a worker is waited for no more when it is there. */
  #feed(peer: Peer, { held, wanted }: FromWorker<'PULL' | 'HB'>): void {
    const underway = this.#leases?.unnamed(peer.worker, held) ?? 0;
    peer.wanted = Math.max(0, wanted - underway);
  }

  #postpone(ms: number): void {
    this.#leases?.postpone(ms);
    this.#context.roster.postpone(ms);
  }

  #close(connection: number, now: number): void {
    this.#context.effects.close(connection);
    this.#drop(connection, now);
  }

  #drop(connection: number, now: number): void {
    const peer = this.#context.roster.drop(connection, now);
    if (peer !== undefined) this.#leases?.shorten(peer.worker, now);
  }

  #forget(peer: Peer, type: 'WORKER_LEFT' | 'WORKER_LOST'): void {
    const { worker, slots } = peer;
    this.#context.roster.forget(peer);
    this.#context.effects.tell({ type, worker, slots });
  }

  /** Finds out whether a worker may be given a chunk. */
  #review(peer: Peer): void {
    this.#context.roster.review(peer, this.heldBy(peer.worker));
  }

  #answer(now: number): TableEffect[] {
    this.#leases?.dispatch(now);
    return this.#context.effects.take();
  }
}
