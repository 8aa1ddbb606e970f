import { RunStateError } from '../../../errors/distributed-errors.js';
import { assertPositiveInteger } from '../../../util/assert-option.js';
import { ItemQueue } from '../../../util/item-queue.js';
import { Pulse } from '../../../util/pulse.js';
import { settledWithin } from '../../../util/turn.js';
import type {
  ChunkEvent,
  ManagerOptions,
  ManagerSession,
  RetryPolicy,
  RunDescription,
  RunState,
  StageOutcome,
  StagePlan,
} from '../engine.js';
import { Gate } from './gate.js';
import { LeaseTable } from './lease-table.js';
import type { WorkerMessage } from './messages.js';
import { assertSizes, RunJournal } from './run-journal.js';
import { endpointOf } from './secure-socket.js';
import type { TableEffect, TableMessage } from './table-effect.js';
import type { Timings } from './timings.js';
import { timingsFor } from './timings.js';

/** More events that nobody reads are dropped. */
const MAX_EVENTS = 10_000;
/** So long may workers take to leave. */
const FAREWELL_MS = 2000;

/** What there is once the run has begun. */
interface Begun {
  readonly table: LeaseTable;
  readonly journal: RunJournal;
}

/** The manager's side: a lease table, a journal, and a port for workers. */
export class TcpManagerSession implements ManagerSession {
  readonly #options: ManagerOptions;
  readonly #timings: Timings;
  readonly #gate: Gate;
  readonly #events = new ItemQueue<ChunkEvent>(MAX_EVENTS);
  readonly #changed = new Pulse();
  /** Who has the header of which stage. */
  readonly #headers = new Map<number, number>();
  /** What workers said before the run began. */
  #early: (() => void)[] = [];
  #begun: Begun | undefined;
  #plan: StagePlan | undefined;
  #failure: { readonly error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #address = '';

  private constructor(options: ManagerOptions) {
    assertPositiveInteger('leaseMs', options.leaseMs);
    this.#options = options;
    this.#timings = timingsFor(options.leaseMs);
    this.#gate = new Gate(
      options.secret,
      {
        message: (connection, message) => this.#receive(connection, message),
        closed: (connection) => this.#disconnected(connection),
      },
      options.logger,
    );
  }

  /** @throws {@link DistributedAddressError} when it cannot listen. */
  static async listen(options: ManagerOptions): Promise<TcpManagerSession> {
    const session = new TcpManagerSession(options);
    session.#address = await session.#gate.open(endpointOf(options.url));
    return session;
  }

  get address(): string {
    return this.#address;
  }

  /** How many peers were turned away: strangers, and those that did not speak as workers do. */
  get refused(): number {
    return this.#gate.refused;
  }

  async begin(description: RunDescription): Promise<RunState> {
    const { journal, planned } = RunJournal.open(description, this.#options);
    const { run, notes } = journal;
    const table = new LeaseTable(run, notes.length, this.#timings);
    this.#begun = { table, journal };
    if (planned !== undefined) {
      const { plan, records } = planned;
      this.#plan = plan;
      this.#do((now) => table.plan(plan.chunks.length, plan.policy, now, records));
    }
    for (const hear of this.#early.splice(0)) hear();
    this.#timer = setInterval(() => {
      this.#do((now) => table.tick(now));
      this.#changed.beat();
    }, this.#timings.tickMs);
    return {
      ...{ run, stage: table.stage, notes: [...notes] },
      ...{ planned: table.isPlanned, header: this.#plan?.header },
    };
  }

  async submit(stage: number, plan: StagePlan, policy: RetryPolicy): Promise<void> {
    const { table, journal } = this.#at(stage);
    if (table.isPlanned) throw new RunStateError(`Stage ${stage} is planned already: settle it`);
    assertSizes(plan);
    this.#attempt(() => journal.writePlan(plan, policy));
    await this.#durable();
    this.#plan = plan;
    this.#do((now) => table.plan(plan.chunks.length, policy, now));
  }

  async settle(stage: number, signal?: AbortSignal): Promise<StageOutcome> {
    const { table } = this.#at(stage);
    const wake = () => this.#changed.beat();
    signal?.addEventListener('abort', wake, { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (this.#failure) throw this.#failure.error;
        const outcome = table.isSettled ? table.outcome() : undefined;
        if (outcome === undefined) {
          if (!table.isPlanned) throw new RunStateError(`Stage ${stage} has no plan: submit one`);
          await this.#changed.next();
          continue;
        }
        await this.#durable();
        return outcome;
      }
    } finally {
      signal?.removeEventListener('abort', wake);
    }
  }

  async revive(stage: number): Promise<number> {
    const { table } = this.#at(stage);
    const dead = table.outcome()?.dead.length ?? 0;
    if (dead > 0) this.#do((now) => table.revive(now));
    await this.#durable();
    return dead;
  }

  async finish(stage: number, note: string): Promise<void> {
    const { table, journal } = this.#at(stage);
    table.finish();
    this.#plan = undefined;
    await this.#durable();
    this.#attempt(() => journal.finishStage(note));
    this.#running();
  }

  async end(): Promise<void> {
    const { table, journal } = this.#running();
    // Whoever was promised something hears of that first.
    await this.#durable();
    journal.remove();
    this.#do((now) => table.end(now));
    const gone = (async () => {
      while (this.#gate.size > 0) await this.#changed.next();
    })();
    await settledWithin(gone, FAREWELL_MS);
  }

  async workers(): Promise<{ count: number; slots: number }> {
    return this.#begun?.table.workers() ?? { count: 0, slots: 0 };
  }

  async *events(): AsyncGenerator<ChunkEvent, void, undefined> {
    while (!this.#events.finished) {
      await this.#events.filled(1);
      yield* this.#events.take(MAX_EVENTS);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#failure ??= { error: new RunStateError('This session is closed: open another one') };
    this.#changed.beat();
    this.#events.end();
    await this.#gate.close();
    await this.#begun?.journal.close();
  }

  #running(): Begun {
    if (this.#failure) throw this.#failure.error;
    if (this.#begun === undefined) throw new RunStateError('No run has begun: call begin() first');
    return this.#begun;
  }

  #at(stage: number): Begun {
    const begun = this.#running();
    if (stage !== begun.table.stage)
      throw new RunStateError(`Stage ${stage} is not at work: stage ${begun.table.stage} is`);
    return begun;
  }

  #receive(connection: number, message: WorkerMessage): void {
    const { table } = this.#begun ?? {};
    if (table === undefined) this.#early.push(() => this.#receive(connection, message));
    else this.#do((now) => table.receive(connection, message, now));
  }

  #disconnected(connection: number): void {
    const { table } = this.#begun ?? {};
    this.#headers.delete(connection);
    if (table === undefined) this.#early.push(() => this.#disconnected(connection));
    else this.#do((now) => table.disconnected(connection, now));
    this.#changed.beat();
  }

  /** Lets something happen to the table, and does what follows from it. */
  #do(happen: (now: number) => readonly TableEffect[]): void {
    // A table that could not be recorded is not to be believed.
    if (this.#failure) return;
    this.#attempt(() => {
      for (const effect of happen(performance.now())) this.#carryOut(effect);
    });
    if (this.#begun?.table.isSettled) this.#changed.beat();
  }

  #carryOut(effect: TableEffect): void {
    switch (effect.type) {
      case 'record':
        this.#begun?.journal.append(effect.record);
        return;
      case 'send': {
        const { to, message, isPromise } = effect;
        if (!isPromise) this.#send(to, message);
        // A failure is kept, and heard by whoever waits for the stage.
        else this.#durable().then(() => this.#send(to, message), ignore);
        return;
      }
      case 'close':
        this.#gate.shut(effect.connection);
        return;
      case 'event':
        if (this.#events.hasRoom) this.#events.add(effect.event);
        return;
      default:
        effect satisfies never;
    }
  }

  #send(to: number, message: TableMessage): void {
    if (message.type !== 'CHUNK') {
      this.#gate.send(to, message);
      return;
    }
    const { stage, index } = message;
    const { header = '', chunks = [] } = this.#plan ?? {};
    if (this.#headers.get(to) !== stage) this.#gate.send(to, { type: 'STAGE', stage, header });
    this.#headers.set(to, stage);
    this.#gate.send(to, { ...message, sealed: chunks[index] });
  }

  async #durable(): Promise<void> {
    try {
      await this.#running().journal.sync();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Does something whose failure ends the session. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    // Workers keep what they have until a manager is back that they can believe.
    void this.#gate.close();
    this.#changed.beat();
  }
}

const ignore = () => undefined;
