import { NO_RESULT } from '../../../../src/processor/distributed/chunk-result.js';
import type { WorkerMessage } from '../../../../src/processor/distributed/tcp/messages.js';
import { reconnectPause } from '../../../../src/processor/distributed/tcp/timings.js';
import type {
  LeaseEffect,
  LeaseMessage,
  WorkerLeases,
} from '../../../../src/processor/distributed/tcp/worker-leases.js';
import type { Simulation } from './simulation.js';
import type { VirtualConnection } from './virtual-world.js';
import { VirtualProcess } from './virtual-world.js';

interface Job {
  readonly stage: number;
  readonly index: number;
  readonly token: string;
  /** When it asked whether it may write; null when it does not wait for that. */
  askedAt: number | null;
  isLost: boolean;
}

/** A worker of the simulation: asks for chunks, works on them, writes when the lease is held. */
export class VirtualWorker {
  readonly name: string;
  readonly process: VirtualProcess;
  readonly machine: WorkerLeases;
  readonly #sim: Simulation;
  readonly #slots: number;
  readonly #jobs = new Map<string, Job>();
  connection: VirtualConnection | undefined;
  hasExited = false;
  #isLeaving = false;
  #wanted = 0;

  constructor(sim: Simulation, name: string, slots: number) {
    this.#sim = sim;
    this.name = name;
    this.#slots = slots;
    this.process = new VirtualProcess(sim.world);
    this.machine = new sim.machines.WorkerLeases(sim.leaseMs);
    this.process.every(this.machine.timings.tickMs, () =>
      this.#do(this.machine.tick(sim.world.now)),
    );
    for (let slot = 0; slot < slots; slot++) this.#ask();
    this.#connectSoon();
  }

  get isThere(): boolean {
    return this.process.isAlive && !this.hasExited;
  }

  /** The chunks that it may write to at this time. */
  *certain(): Generator<string> {
    for (const { token, stage, index, isLost } of this.#jobs.values())
      if (!isLost && this.machine.isCertain(token, this.#sim.world.now)) yield `${stage}/${index}`;
  }

  /** SIGKILL. The manager may learn it. */
  kill(isNoticed: boolean): void {
    this.process.isAlive = false;
    const { connection } = this;
    if (connection === undefined) return;
    connection.shut('worker');
    connection.isCut = true;
    if (isNoticed) this.#sim.manager.learnClosed(connection, this.#sim.world.between(0, 100));
  }

  /** Says goodbye, and goes. */
  leave(): void {
    this.#isLeaving = true;
    this.process.after(0, () => {
      if (this.hasExited) return;
      this.#say({ type: 'BYE' });
      this.hasExited = true;
      this.process.after(100, () => this.kill(true));
    });
  }

  learnClosed(connection: VirtualConnection, ms: number): void {
    this.process.after(ms, () => this.#disconnect(connection));
  }

  hear(connection: VirtualConnection, message: LeaseMessage): void {
    if (connection !== this.connection || this.hasExited) return;
    if (message.type === 'CHUNK') {
      const { stage, index, token } = message;
      if (!this.#jobs.has(token))
        this.#jobs.set(token, { stage, index, token, askedAt: null, isLost: true });
    }
    this.#do(this.machine.receive(message, this.#sim.world.now));
  }

  #connectSoon(attempt = 0): void {
    const { world } = this.#sim;
    const pause = reconnectPause(attempt, this.machine.timings, world.random.next());
    this.process.after(pause, () => {
      if (this.hasExited) return;
      const connection = this.#sim.connect(this);
      if (connection === undefined) return this.#connectSoon(attempt + 1);
      this.connection = connection;
      this.machine.connected(this.#sim.world.now);
      this.#say({
        type: 'HELLO',
        v: 1,
        worker: this.name,
        version: '1',
        slots: this.#slots,
      });
    });
  }

  #disconnect(connection: VirtualConnection): void {
    if (connection !== this.connection) return;
    connection.shut('worker');
    this.connection = undefined;
    this.machine.disconnected();
    this.#connectSoon();
  }

  #ask(): void {
    if (this.#isLeaving) return;
    this.#wanted++;
    this.#do(this.machine.want(this.#wanted));
  }

  #do(effects: readonly LeaseEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          this.#say(effect.message);
          break;
        case 'start':
          if (--this.#wanted < 0) this.#sim.violate(`${this.name} starts what it did not ask for`);
          this.#start(this.#jobs.get(effect.token)!);
          break;
        case 'held': {
          const job = this.#jobs.get(effect.token);
          if (job !== undefined && job.askedAt !== null && effect.askedAt >= job.askedAt)
            this.#write(job);
          break;
        }
        case 'lost': {
          const job = this.#jobs.get(effect.token);
          if (job === undefined) break;
          job.isLost = true;
          this.#jobs.delete(effect.token);
          this.#ask();
          break;
        }
        case 'recorded': {
          const job = this.#jobs.get(effect.token);
          if (job === undefined) break;
          this.#jobs.delete(effect.token);
          this.#sim.recorded(job.stage, job.index, job.token);
          this.#ask();
          break;
        }
        case 'reconnect':
          if (this.connection !== undefined) {
            const { connection } = this;
            connection.isCut = true;
            if (this.#sim.world.random.chance(0.7))
              this.#sim.manager.learnClosed(connection, this.#sim.world.between(0, 1000));
            this.#disconnect(connection);
          }
          break;
        case 'exit':
          this.hasExited = true;
          break;
        default:
          effect satisfies never;
      }
    }
    this.#sim.check();
  }

  #start(job: Job): void {
    job.isLost = false;
    this.#sim.started(this, job.stage, job.index);
    const atWork = [...this.#jobs.values()].filter(({ isLost }) => !isLost).length;
    if (atWork > this.#slots) this.#sim.violate(`${this.name} works on ${atWork} chunks`);
    if (this.#sim.isPoison(job.stage, job.index)) {
      this.process.after(this.#sim.world.between(0, 3000), () => this.#sim.killWorker(this, true));
      return;
    }
    this.process.after(this.#sim.world.between(10, 12_000), () => {
      if (job.isLost) return;
      if (this.machine.isCertain(job.token, this.#sim.world.now)) return this.#write(job);
      job.askedAt = this.#sim.world.now;
      this.#do(this.machine.ask(this.#sim.world.now));
    });
  }

  #write(job: Job): void {
    job.askedAt = null;
    this.process.after(this.#sim.world.between(10, 5000), () => {
      if (!job.isLost) this.#end(job);
    });
  }

  #end(job: Job): void {
    const { stage, index, token } = job;
    const lease = { stage, index, token };
    const error = { name: 'Error', message: 'broke' };
    const say = (message: Parameters<WorkerLeases['end']>[0]) => {
      // Its work is over, whatever becomes of the message.
      job.isLost = true;
      this.#do(this.machine.end(message, this.#sim.world.now));
    };
    const end = this.#sim.endOf(stage, index);
    if (end === 'release') say({ type: 'NACK', ...lease });
    else if (end === 'fail' || end === 'fatal')
      say({ type: 'FAIL', ...lease, error, fatal: end === 'fatal' });
    else {
      this.#sim.finished(stage, index, token);
      say({ type: 'DONE', ...lease, result: { ...NO_RESULT, processed: 1, succeeded: 1 } });
    }
  }

  #say(message: WorkerMessage): void {
    const { connection } = this;
    if (connection !== undefined) this.#sim.manager.carry(connection, message);
  }
}
