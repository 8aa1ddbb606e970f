import type { LeaseTable } from '../../../../src/processor/distributed/tcp/lease-table.js';
import type {
  ManagerMessage,
  WorkerMessage,
} from '../../../../src/processor/distributed/tcp/messages.js';
import type { JournalEntry } from '../../../../src/processor/distributed/tcp/run-history.js';
import { RunHistory } from '../../../../src/processor/distributed/tcp/run-history.js';
import type { TableEffect } from '../../../../src/processor/distributed/tcp/table-effect.js';
import type { LeaseMessage } from '../../../../src/processor/distributed/tcp/worker-leases.js';
import type { Simulation } from './simulation.js';
import type { VirtualWorker } from './virtual-worker.js';
import type { VirtualConnection } from './virtual-world.js';
import { VirtualProcess } from './virtual-world.js';

/** A file: what was written survives its process, what was synced survives the machine. */
class VirtualDisk {
  text = '';
  synced = 0;

  /** The machine dies: of what was not synced, some part is left, perhaps with half a line. */
  crash(keep: (length: number) => number): void {
    this.text = this.text.slice(0, this.synced + keep(this.text.length - this.synced));
    this.text = this.text.slice(0, this.text.lastIndexOf('\n') + 1);
    this.synced = this.text.length;
  }
}

/** The manager of the simulation: plans stages, keeps a journal, and starts again when it dies. */
export class VirtualManager {
  readonly #sim: Simulation;
  readonly #disk = new VirtualDisk();
  readonly #peers = new Map<number, { connection: VirtualConnection; worker: VirtualWorker }>();
  #tokens = 0;
  process: VirtualProcess;
  table: LeaseTable | undefined;
  hasEnded = false;
  /** A promise of the disk: what waits for it, and how much of the file it covers. */
  #isSyncing = false;
  #afterSync: (() => void)[] = [];
  #hasRevived = false;
  #isSettling = false;

  constructor(sim: Simulation) {
    this.#sim = sim;
    this.process = new VirtualProcess(sim.world);
  }

  /** Starts, or starts again from the journal. */
  start(): void {
    const { world, machines } = this.#sim;
    this.process = new VirtualProcess(world);
    this.#peers.clear();
    this.#isSyncing = false;
    this.#isSettling = false;
    this.#afterSync = [];
    const history = new RunHistory();
    for (const line of this.#disk.text.split('\n'))
      if (line !== '') history.add(JSON.parse(line) as JournalEntry);
    const stage = history.run?.notes.length ?? 0;
    this.table = new machines.LeaseTable('run', stage, machines.timingsFor(this.#sim.leaseMs), () =>
      String(++this.#tokens),
    );
    if (history.run === undefined) this.#append([this.#run(0)]);
    if (this.hasEnded) this.#do(this.table.end(world.now));
    else if (history.plan !== undefined) {
      const { chunks, policy } = history.plan;
      this.#do(this.table.plan(chunks.length, policy, world.now, history.records));
    } else this.#planSoon();
    this.process.every(machines.timingsFor(this.#sim.leaseMs).tickMs, () => {
      this.#do(this.table!.tick(world.now));
    });
  }

  /** SIGKILL, or, when the machine dies, worse: what was not synced may be gone. */
  kill(machine: boolean): void {
    this.process.isAlive = false;
    this.table = undefined;
    if (machine) this.#disk.crash((length) => this.#sim.world.random.below(length + 1));
    for (const { connection, worker } of this.#peers.values()) {
      connection.shut('manager');
      connection.isCut = true;
      if (!machine || this.#sim.world.random.chance(0.5))
        worker.learnClosed(connection, this.#sim.world.between(0, 500));
    }
  }

  accept(connection: VirtualConnection, worker: VirtualWorker): void {
    this.#peers.set(connection.id, { connection, worker });
  }

  carry(connection: VirtualConnection, message: WorkerMessage): void {
    const { process } = this;
    connection.carry('manager', (ms) =>
      process.after(ms, () => {
        if (connection.isOpen('manager'))
          this.#do(this.table!.receive(connection.id, message, this.#sim.world.now));
      }),
    );
  }

  learnClosed(connection: VirtualConnection, ms: number): void {
    this.process.after(ms, () => {
      if (!connection.isOpen('manager')) return;
      connection.shut('manager');
      this.#do(this.table!.disconnected(connection.id, this.#sim.world.now));
    });
  }

  #do(effects: readonly TableEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'record':
          this.#append([effect.record]);
          break;
        case 'send': {
          const { to, message, isPromise } = effect;
          if (message.type === 'CHUNK') this.#sim.handedOut(message.stage, message.index);
          if (isPromise) this.#sync(() => this.#send(to, message));
          else this.#send(to, message);
          break;
        }
        case 'close':
          this.#close(effect.connection);
          break;
        case 'event':
          if (effect.event.type === 'CHUNK_LOST') this.#sim.lost(effect.event.stage);
          if (effect.event.type === 'CHUNK_DEAD')
            this.#sim.died(effect.event.stage, effect.event.index);
          break;
        default:
          effect satisfies never;
      }
    }
    const table = this.table!;
    if (table.isSettled) this.#settle(table);
    this.#sim.check();
  }

  /** What a processor does when a stage is settled. */
  #settle(table: LeaseTable): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    const { stage } = table;
    const outcome = table.outcome()!;
    this.#sync(() => {
      this.#isSettling = false;
      if (outcome.dead.length > 0 && !this.#hasRevived && this.#sim.config.revives) {
        this.#hasRevived = true;
        this.#sim.revived(stage, outcome);
        this.#do(table.revive(this.#sim.world.now));
        return;
      }
      this.#sim.settled(stage, outcome);
      table.finish();
      // Replaced as a whole, at once.
      this.#disk.text = '';
      this.#append([this.#run(stage + 1)]);
      this.#disk.synced = this.#disk.text.length;
      this.#planSoon();
    });
  }

  #planSoon(): void {
    const { world, config } = this.#sim;
    this.process.after(world.between(0, 2000), () => {
      const table = this.table!;
      const count = config.stages[table.stage];
      if (count === undefined) {
        this.hasEnded = true;
        this.#do(table.end(world.now));
        return;
      }
      const { policy } = config;
      this.#append([{ type: 'plan', policy, header: '' }]);
      for (let i = 0; i < count; i++) this.#append([{ type: 'chunk', sealed: '' }]);
      this.#append([{ type: 'planned' }]);
      this.#sync(() => {
        this.#sim.planned(table.stage);
        this.#do(table.plan(count, policy, world.now));
      });
    });
  }

  #run(stage: number): JournalEntry {
    return { type: 'run', v: 1, run: 'run', mark: '', notes: Array<string>(stage).fill('') };
  }

  #append(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.#disk.text += `${JSON.stringify(entry)}\n`;
  }

  #sync(then: () => void): void {
    this.#afterSync.push(then);
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    const [length, waiting] = [this.#disk.text, this.#afterSync.splice(0)];
    this.process.after(this.#sim.world.between(1, 20), () => {
      this.#isSyncing = false;
      if (this.#disk.text.startsWith(length))
        this.#disk.synced = Math.max(this.#disk.synced, length.length);
      for (const run of waiting) run();
      if (this.#afterSync.length > 0 && !this.#isSyncing) {
        const next = this.#afterSync.pop()!;
        this.#sync(next);
      }
    });
  }

  #send(to: number, message: Exclude<ManagerMessage, { type: 'CHUNK' | 'STAGE' }> | object): void {
    const peer = this.#peers.get(to);
    if (peer === undefined || !peer.connection.isOpen('manager')) return;
    const { connection, worker } = peer;
    connection.carry('worker', (ms) =>
      worker.process.after(ms, () => {
        if (connection.isOpen('worker')) worker.hear(connection, message as LeaseMessage);
      }),
    );
  }

  #close(id: number): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    const { connection, worker } = peer;
    connection.shut('manager');
    connection.isCut = true;
    this.#peers.delete(id);
    if (this.#sim.config.mood === 'calm' || this.#sim.world.random.chance(0.7))
      worker.learnClosed(connection, 50);
  }
}
