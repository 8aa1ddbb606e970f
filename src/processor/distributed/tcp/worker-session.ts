import type { TLSSocket } from 'node:tls';
import {
  DistributedAddressError,
  DistributedAuthError,
  DistributedProtocolError,
} from '../../../errors/distributed-errors.js';
import { MaggmaError } from '../../../errors/maggma-error.js';
import { assertNonEmptyString, assertPositiveInteger } from '../../../util/assert-option.js';
import { settledWithin } from '../../../util/turn.js';
import type { WorkerOptions, WorkerSession } from '../engine.js';
import type { Received } from '../receivers.js';
import { Receivers } from '../receivers.js';
import { fitting } from './message-size.js';
import { MessageSocket } from './message-socket.js';
import type { ManagerMessage, WorkerMessage } from './messages.js';
import { managerMessage, PROTOCOL } from './messages.js';
import type { Endpoint } from './secure-socket.js';
import { addressOf, connectSecurely, endpointOf } from './secure-socket.js';
import { TcpLease } from './tcp-lease.js';
import { reconnectPause } from './timings.js';
import type { LeaseEffect, LeaseEnd } from './worker-leases.js';
import { WorkerLeases } from './worker-leases.js';

/** So long may a goodbye take. */
const FAREWELL_MS = 1000;

/** The worker's side: it connects again and again, and keeps its leases alive. */
export class TcpWorkerSession implements WorkerSession {
  readonly #options: WorkerOptions;
  readonly #endpoint: Endpoint;
  readonly #leases: WorkerLeases;
  readonly #held = new Map<string, TcpLease>();
  readonly #receivers = new Receivers({ asked: () => this.#want(), gaveUp: () => this.#want() });
  readonly #over = new AbortController();
  #socket: MessageSocket | undefined;
  #whenClosed: Promise<void> = Promise.resolve();
  #wasLetIn = false;
  #attempts = 0;
  #run: string | undefined;
  #header: { readonly stage: number; readonly sealed: string } | undefined;
  #chunk: Extract<ManagerMessage, { type: 'CHUNK' }> | undefined;
  #ticking: NodeJS.Timeout | undefined;
  #pausing: NodeJS.Timeout | undefined;

  private constructor(options: WorkerOptions) {
    assertPositiveInteger('leaseMs', options.leaseMs);
    assertPositiveInteger('slots', options.slots);
    assertNonEmptyString('worker', options.worker);
    this.#options = options;
    this.#endpoint = endpointOf(options.url);
    this.#leases = new WorkerLeases(options.leaseMs);
  }

  /**
   * Connects; when nobody is there yet, it is tried again in the background.
   *
   * @throws {@link DistributedAuthError} when manager and worker do not have the same secret.
   * @throws {@link DistributedAddressError} when there is no such host.
   */
  static async connect(options: WorkerOptions): Promise<TcpWorkerSession> {
    const session = new TcpWorkerSession(options);
    await session.#connect();
    const { failure } = session.#receivers;
    if (failure) throw failure.error;
    session.#tick();
    return session;
  }

  get address(): string {
    return addressOf(this.#endpoint);
  }

  /** Without its manager, nothing that is done is recorded. */
  get isServed(): boolean {
    return this.#socket !== undefined;
  }

  receive(signal?: AbortSignal): Promise<Received> {
    return this.#receivers.receive(signal);
  }

  log(line: Parameters<WorkerSession['log']>[0]): void {
    if (this.#run !== undefined) this.#socket?.sendBestEffort({ type: 'LOG', ...line });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    this.#receivers.close();
    await settledWithin(this.#whenClosed, FAREWELL_MS);
    this.#socket?.destroy();
  }

  /** Goes for good; what is held goes back. */
  #leave(): void {
    this.#over.abort();
    clearTimeout(this.#ticking);
    clearTimeout(this.#pausing);
    this.#say({ type: 'BYE' });
    this.#socket?.end();
    for (const lease of this.#held.values()) lease.hearLost();
    this.#held.clear();
  }

  #tick(): void {
    this.#do(this.#leases.tick(performance.now()));
    // How often may change with what the manager says.
    if (!this.#over.signal.aborted)
      this.#ticking = setTimeout(() => this.#tick(), this.#leases.timings.tickMs);
  }

  async #connect(): Promise<void> {
    try {
      const socket = await connectSecurely(this.#endpoint, this.#options.secret, this.#over.signal);
      if (this.#over.signal.aborted) socket.destroy();
      else this.#greet(socket);
    } catch (error) {
      if (this.#over.signal.aborted) return;
      if (this.#isFinal(error)) this.#fail(error);
      else this.#connectLater(error);
    }
  }

  /** Once it was let in, what is wrong may pass. */
  #isFinal(error: unknown): boolean {
    if (this.#wasLetIn) return false;
    if (error instanceof DistributedAuthError) return true;
    const { cause } = error as { cause?: { code?: unknown } };
    return error instanceof DistributedAddressError && cause?.code === 'ENOTFOUND';
  }

  #connectLater(error?: unknown): void {
    const pause = reconnectPause(this.#attempts, this.#leases.timings, Math.random());
    if (error instanceof MaggmaError && this.#attempts === 0)
      this.#options.logger.warn(`${error.message}; it is tried again until somebody is there`);
    this.#attempts++;
    this.#pausing = setTimeout(() => void this.#connect(), pause);
  }

  #greet(secured: TLSSocket): void {
    let close = () => {};
    this.#whenClosed = new Promise((resolve) => {
      close = resolve;
    });
    const socket = new MessageSocket(secured, {
      message: (value) => this.#receive(socket, value),
      malformed: (problem) => this.#options.logger.warn(`${this.address} sent ${problem}`),
      closed: () => {
        close();
        this.#socket = undefined;
        this.#header = undefined;
        this.#leases.disconnected();
        if (this.#over.signal.aborted) return;
        this.#options.logger.warn(`The connection to ${this.address} broke`);
        this.#connectLater();
      },
    });
    this.#socket = socket;
    // A manager knows the secret: it is no stranger.
    socket.trust();
    this.#leases.connected(performance.now());
    const { worker, version, slots } = this.#options;
    this.#wasLetIn = true;
    this.#say({ type: 'HELLO', v: PROTOCOL, worker, version, slots });
  }

  #receive(socket: MessageSocket, value: unknown): void {
    const message = managerMessage(value);
    if (message === undefined) {
      this.#options.logger.warn(`${this.address} says what no manager says`);
      socket.destroy();
    } else if (message.type === 'REFUSED') {
      this.#fail(new DistributedProtocolError(this.address, PROTOCOL, message.v));
    } else if (message.type === 'STAGE') {
      this.#header = { stage: message.stage, sealed: message.header };
    } else {
      if (message.type === 'CHUNK') this.#chunk = message;
      if (message.type === 'WELCOME') {
        this.#run = message.run;
        this.#attempts = 0;
        this.#options.logger.info(`Is connected to ${this.address}`);
      }
      this.#do(this.#leases.receive(message, performance.now()));
    }
  }

  #do(effects: readonly LeaseEffect[]): void {
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: LeaseEffect): void {
    switch (effect.type) {
      case 'send':
        this.#say(effect.message);
        return;
      case 'start':
        this.#start();
        return;
      case 'held':
        this.#held.get(effect.token)?.hearHeld(effect.askedAt);
        return;
      case 'lost':
        this.#held.get(effect.token)?.hearLost();
        this.#held.delete(effect.token);
        return;
      case 'recorded':
        this.#held.get(effect.token)?.hearRecorded();
        this.#held.delete(effect.token);
        return;
      case 'reconnect':
        this.#socket?.destroy();
        return;
      case 'exit':
        this.#receivers.finish();
        this.#leave();
        return;
      default:
        effect satisfies never;
    }
  }

  /** The chunk that just came goes to whoever waited longest. */
  #start(): void {
    const chunk = this.#chunk;
    const run = this.#run;
    if (this.#receivers.size === 0 || chunk === undefined || run === undefined) return;
    const { stage, index, token, attempt, sealed: payload } = chunk;
    const { sealed: header = '' } = this.#header ?? {};
    const grant = { id: { run, stage, index }, attempt, header, payload, token };
    const lease = new TcpLease(grant, {
      isCertain: (name) => this.#leases.isCertain(name, performance.now()),
      ask: () => this.#do(this.#leases.ask(performance.now())),
      end: (end) => this.#end(end),
      tell: (message) => this.#socket?.sendBestEffort(message),
    });
    this.#held.set(token, lease);
    this.#receivers.give(lease);
  }

  #end(end: LeaseEnd): void {
    this.#do(this.#leases.end(fitting(end), performance.now()));
  }

  #fail(error: unknown): void {
    this.#receivers.fail(error);
    this.#leave();
  }

  #want(): void {
    this.#do(this.#leases.want(this.#receivers.size));
  }

  #say(message: WorkerMessage): void {
    this.#socket?.send(message);
  }
}
