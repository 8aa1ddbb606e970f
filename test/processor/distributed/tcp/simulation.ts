import type { RetryPolicy, StageOutcome } from '../../../../src/processor/distributed/engine.js';
import type { LeaseTable } from '../../../../src/processor/distributed/tcp/lease-table.js';
import type { timingsFor } from '../../../../src/processor/distributed/tcp/timings.js';
import type { WorkerLeases } from '../../../../src/processor/distributed/tcp/worker-leases.js';
import { VirtualManager } from './virtual-manager.js';
import { VirtualWorker } from './virtual-worker.js';
import type { NetworkStyle } from './virtual-world.js';
import { Violation, VirtualConnection, VirtualWorld } from './virtual-world.js';

/** What is tried: the real state machines, or such with a mistake in them. */
export interface Machines {
  readonly LeaseTable: typeof LeaseTable;
  readonly WorkerLeases: typeof WorkerLeases;
  readonly timingsFor: typeof timingsFor;
}

/** What a seed comes to. */
export interface SimulationConfig {
  /**
   * `wild`: messages get lost, doubled and out of order; `tcp`: connections break, processes die; `calm`: only the
   * manager dies, or sockets break, for which no work may be done twice.
   */
  readonly mood: 'wild' | 'tcp' | 'calm';
  readonly stages: readonly number[];
  readonly policy: RetryPolicy;
  readonly revives: boolean;
  readonly faultsUntil: number;
  readonly network: NetworkStyle;
}

/** What came of a seed. */
export interface SimulationStats {
  readonly chunks: number;
  readonly dead: number;
  readonly starts: number;
  readonly faults: number;
  readonly virtualMs: number;
}

const RUN_LIMIT_MS = 30 * 60_000;
const MOODS = ['wild', 'tcp', 'calm'] as const;
const CALM: NetworkStyle = { drop: 0, duplicate: 0, reorder: false, slow: 0 };

type End = 'done' | 'fail' | 'fatal' | 'release';

/** One run of manager and workers by a virtual clock, over a bad network, while processes die. */
export class Simulation {
  readonly world: VirtualWorld;
  readonly machines: Machines;
  readonly config: SimulationConfig;
  readonly leaseMs = 15_000;
  readonly manager: VirtualManager;
  readonly #workers = new Set<VirtualWorker>();
  readonly #poison = new Set<string>();
  readonly #hopeless = new Set<string>();
  readonly #starts = new Map<string, number>();
  /** By chunk, the tokens whose work was finished. */
  readonly #finished = new Map<string, Set<string>>();
  readonly #acknowledged = new Set<string>();
  readonly #dead = new Set<string>();
  readonly #settled: StageOutcome[] = [];
  #names = 0;
  #faults = 0;

  constructor(seed: number, machines: Machines) {
    this.world = new VirtualWorld(seed);
    this.machines = machines;
    const { random } = this.world;
    const mood = MOODS[random.below(3)]!;
    this.config = {
      mood,
      stages: Array.from({ length: 1 + random.below(2) }, () => random.below(25)),
      policy: { attempts: 1 + random.below(3), losses: 1 + random.below(5), backoffMs: 1000 },
      revives: random.chance(0.3),
      faultsUntil: this.world.between(5000, 60_000),
      network:
        mood === 'calm'
          ? CALM
          : mood === 'tcp'
            ? { drop: 0, duplicate: 0, reorder: false, slow: 0.02 }
            : { drop: 0.05, duplicate: 0.05, reorder: true, slow: 0.05 },
    };
    if (mood !== 'calm')
      for (const [stage, count] of this.config.stages.entries())
        for (let index = 0; index < count; index++) {
          const dice = random.next();
          if (dice < 0.05) this.#poison.add(`${stage}/${index}`);
          else if (dice < 0.1) this.#hopeless.add(`${stage}/${index}`);
        }
    this.manager = new VirtualManager(this);
  }

  /** @throws {@link Violation} when something that must not be was so. */
  run(): SimulationStats {
    const { world, config } = this;
    this.manager.start();
    for (let n = 1 + world.random.below(4); n > 0; n--) this.#hire();
    this.#breakThings();
    const ended = world.runUntil(() => this.#isOver, config.faultsUntil + RUN_LIMIT_MS);
    if (!ended) this.violate(`the run does not end: ${this.#describe()}`);
    const outcomes = this.#settled;
    if (outcomes.length !== config.stages.length)
      this.violate(`${outcomes.length} stages of ${config.stages.length} were settled`);
    const starts = [...this.#starts.values()];
    if (config.mood === 'calm' && starts.some((times) => times !== 1))
      this.violate('a chunk was run twice, though no worker died');
    return {
      chunks: outcomes.reduce((sum, { completed, dead }) => sum + completed + dead.length, 0),
      dead: outcomes.reduce((sum, { dead }) => sum + dead.length, 0),
      starts: starts.reduce((sum, times) => sum + times, 0),
      faults: this.#faults,
      virtualMs: world.now,
    };
  }

  violate(problem: string): never {
    throw new Violation(`${Math.round(this.world.now)} ms (${this.config.mood}): ${problem}`);
  }

  /** What holds at every moment: nobody else may write where one is certain that it may. */
  check(): void {
    const writers = new Set<string>();
    for (const worker of this.#workers) {
      if (!worker.isThere || worker.process.isStopped) continue;
      for (const chunk of worker.certain()) {
        if (writers.has(chunk)) this.violate(`two workers are certain of chunk ${chunk}`);
        writers.add(chunk);
      }
    }
  }

  connect(worker: VirtualWorker): VirtualConnection | undefined {
    if (!this.manager.process.isAlive) return undefined;
    const connection = new VirtualConnection(this.world, this.config.network);
    this.manager.accept(connection, worker);
    return connection;
  }

  isPoison(stage: number, index: number): boolean {
    return this.#poison.has(`${stage}/${index}`);
  }

  endOf(stage: number, index: number): End {
    if (this.#hopeless.has(`${stage}/${index}`)) return 'fail';
    const dice = this.config.mood === 'calm' ? 1 : this.world.random.next();
    return dice < 0.05 ? 'fail' : dice < 0.06 ? 'fatal' : dice < 0.1 ? 'release' : 'done';
  }

  handedOut(stage: number, index: number): void {
    if (this.#acknowledged.has(`${stage}/${index}`))
      this.violate(`chunk ${stage}/${index} is handed out, though it is acknowledged as done`);
  }

  started(_worker: VirtualWorker, stage: number, index: number): void {
    const chunk = `${stage}/${index}`;
    this.#starts.set(chunk, (this.#starts.get(chunk) ?? 0) + 1);
  }

  finished(stage: number, index: number, token: string): void {
    const chunk = `${stage}/${index}`;
    this.#finished.set(chunk, (this.#finished.get(chunk) ?? new Set()).add(token));
  }

  recorded(stage: number, index: number, token: string): void {
    const chunk = `${stage}/${index}`;
    // Who comes too late for a dead chunk is not heard.
    if (this.#finished.get(chunk)?.has(token) && !this.#dead.has(chunk))
      this.#acknowledged.add(chunk);
  }

  died(stage: number, index: number): void {
    this.#dead.add(`${stage}/${index}`);
  }

  lost(stage: number): void {
    if (this.config.mood === 'calm') this.violate(`a chunk of stage ${stage} is taken for lost`);
  }

  planned(stage: number): void {
    if (this.#settled.length !== stage) this.violate(`stage ${stage} is planned at the wrong time`);
  }

  revived(stage: number, outcome: StageOutcome): void {
    this.#examine(stage, outcome);
  }

  settled(stage: number, outcome: StageOutcome): void {
    if (this.#settled.length !== stage) this.violate(`stage ${stage} is settled a second time`);
    this.#examine(stage, outcome);
    this.#settled.push(outcome);
  }

  /** SIGKILL; another one comes instead. */
  killWorker(worker: VirtualWorker, isNoticed: boolean): void {
    if (!worker.isThere) return;
    const wasConnected = worker.connection?.isOpen('manager') === true && !worker.connection.isCut;
    worker.kill(isNoticed);
    this.#workers.delete(worker);
    const { manager, world } = this;
    const { table } = manager;
    const { closedMs, tickMs } = this.machines.timingsFor(this.leaseMs);
    if (isNoticed && wasConnected && table !== undefined && this.config.mood === 'tcp')
      world.after(100 + closedMs + 2 * tickMs, () => {
        const isSame = manager.table === table && !this.#wasStopped;
        if (isSame && this.#holdsOf(worker.name) > 0)
          this.violate(`${worker.name} died, and its chunks are still its own`);
      });
    world.after(world.between(0, 10_000), () => this.#hire());
  }

  #examine(stage: number, { completed, dead, result }: StageOutcome): void {
    const count = this.config.stages[stage]!;
    const { attempts, losses } = this.config.policy;
    const indices = new Set(dead.map(({ index }) => index));
    if (completed + dead.length !== count || indices.size !== dead.length)
      this.violate(`${completed} + ${dead.length} of ${count} chunks are counted`);
    if (result.processed !== completed)
      this.violate(`${result.processed} results of ${completed} chunks are counted`);
    for (let index = 0; index < count; index++)
      if (!indices.has(index) && !this.#finished.has(`${stage}/${index}`))
        this.violate(`chunk ${stage}/${index} is counted as done, and nobody did it`);
    for (const chunk of dead) {
      const isOut = chunk.attempts === attempts || chunk.losses === losses;
      const isFatal = chunk.attempts > 0 && chunk.attempts < attempts;
      if (!isOut && !isFatal)
        this.violate(
          `chunk ${stage}/${chunk.index} is dead after ${chunk.attempts} attempts and ${chunk.losses} losses`,
        );
    }
  }

  #stopsAt = Number.NEGATIVE_INFINITY;

  get #wasStopped(): boolean {
    return this.world.now < this.#stopsAt;
  }

  #holdsOf(name: string): number {
    return this.manager.table?.heldBy(name) ?? 0;
  }

  get #isOver(): boolean {
    return this.manager.hasEnded && [...this.#workers].every((worker) => !worker.isThere);
  }

  #hire(): void {
    if (this.manager.hasEnded) return;
    const worker = new VirtualWorker(this, `w${++this.#names}`, 1 + this.world.random.below(3));
    this.#workers.add(worker);
  }

  #breakThings(): void {
    const { world, config } = this;
    world.after(world.between(100, 5000), () => {
      if (world.now > config.faultsUntil || this.manager.hasEnded) return;
      this.#faults++;
      this.#breakOne();
      this.#breakThings();
    });
  }

  #breakOne(): void {
    const { world, manager, config } = this;
    const { random } = world;
    const workers = [...this.#workers].filter((worker) => worker.isThere);
    const worker = workers[random.below(workers.length)];
    const fault = random.pick(
      config.mood === 'calm'
        ? (['manager dies', 'manager stops', 'cut'] as const)
        : ([
            'worker dies',
            'worker stops',
            'worker leaves',
            'worker comes',
            'cut',
            'cut',
            'cut',
            'manager dies',
            'manager stops',
            'machine dies',
          ] as const),
    );
    if (fault === 'worker comes' && workers.length < 6) this.#hire();
    else if (fault === 'manager stops') {
      const ms = world.between(500, 30_000);
      manager.process.stop(ms);
      this.#stopsAt = Math.max(this.#stopsAt, world.now + ms + 5000);
    } else if (fault === 'manager dies' || fault === 'machine dies') {
      if (!manager.process.isAlive) return;
      const machine = fault === 'machine dies';
      manager.kill(machine);
      world.after(machine ? world.between(3000, 30_000) : world.between(0, 30_000), () =>
        manager.start(),
      );
    } else if (worker === undefined) return;
    else if (fault === 'worker dies') this.killWorker(worker, random.chance(0.7));
    else if (fault === 'worker stops') worker.process.stop(world.between(500, 40_000));
    else if (fault === 'worker leaves') {
      worker.leave();
      world.after(world.between(0, 10_000), () => this.#hire());
    } else if (fault === 'cut' && worker.connection !== undefined) this.#cut(worker.connection);
  }

  /** Each end is told at its own time, or never. */
  #cut(connection: VirtualConnection): void {
    const { world, config } = this;
    const owner = [...this.#workers].find((worker) => worker.connection === connection)!;
    connection.isCut = true;
    const isCalm = config.mood === 'calm';
    const who = world.random.next();
    if (isCalm || who < 0.7)
      this.manager.learnClosed(connection, world.between(0, isCalm ? 200 : 3000));
    if (isCalm || who > 0.4) owner.learnClosed(connection, world.between(0, isCalm ? 200 : 3000));
  }

  #describe(): string {
    const { table } = this.manager;
    const alive = [...this.#workers].filter((worker) => worker.isThere).length;
    return `stage ${table?.stage}, ${JSON.stringify(table?.outcome()?.completed)} chunks done, ${alive} workers, ended: ${this.manager.hasEnded}`;
  }
}
