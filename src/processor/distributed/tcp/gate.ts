import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { DistributedAddressError } from '../../../errors/distributed-errors.js';
import type { Logger } from '../../../util/logger.js';
import { MessageSocket } from './message-socket.js';
import type { WorkerMessage } from './messages.js';
import { workerMessage } from './messages.js';
import type { Endpoint } from './secure-socket.js';
import { addressOf, createSecureServer } from './secure-socket.js';
import { HELLO_MS } from './timings.js';

/** So many may be connected that have not said who they are; one more, and the one that has been longest goes. */
const MAX_STRANGERS = 512;

/** Hears of those who were let in. */
export interface GateListener {
  message(connection: number, message: WorkerMessage): void;
  closed(connection: number): void;
}

/** Somebody who is connected, and has not said who it is. */
interface Stranger {
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

/** Where workers come in: it lets nobody pass who does not know the secret, or does not speak as a worker does. */
export class Gate {
  readonly #server: Server;
  readonly #listener: GateListener;
  readonly #logger: Logger;
  /** By their addresses: the same socket is seen before and after its handshake. */
  readonly #strangers = new Map<string, Stranger>();
  readonly #sockets = new Map<number, MessageSocket>();
  #connections = 0;
  #refused = 0;

  constructor(secret: Uint8Array, listener: GateListener, logger: Logger) {
    this.#server = createSecureServer(secret);
    this.#listener = listener;
    this.#logger = logger;
    this.#server.on('connection', (socket) => this.#meet(socket));
    this.#server.on('secureConnection', (socket) => this.#greet(socket));
    this.#server.on('tlsClientError', (_, socket) =>
      this.#turnAway(socket, 'does not know the secret'),
    );
  }

  /** How many were turned away, for whatever reason. */
  get refused(): number {
    return this.#refused;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Opens it.
   *
   * @returns its address, also when the port was to be any.
   * @throws {@link DistributedAddressError}
   */
  async open(endpoint: Endpoint): Promise<string> {
    const address = addressOf(endpoint);
    try {
      const listening = once(this.#server, 'listening');
      this.#server.listen(endpoint);
      await listening;
    } catch (cause) {
      throw new DistributedAddressError(`Cannot listen at ${address}: ${reason(cause)}`, { cause });
    }
    const { port } = this.#server.address() as AddressInfo;
    return addressOf({ ...endpoint, port });
  }

  send(connection: number, message: object): void {
    this.#sockets.get(connection)?.send(message);
  }

  /** Closes a connection when everything was sent. */
  shut(connection: number): void {
    this.#sockets.get(connection)?.end();
  }

  /** Closes it, and all connections at once. */
  async close(): Promise<void> {
    for (const { socket } of this.#strangers.values()) socket.destroy();
    for (const socket of this.#sockets.values()) socket.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #meet(socket: Socket): void {
    const name = nameOf(socket);
    const timer = setTimeout(
      () => this.#turnAway(socket, `did not say who it is within ${HELLO_MS / 1000} s`),
      HELLO_MS,
    );
    this.#strangers.set(name, { socket, timer });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(timer);
      if (this.#strangers.get(name)?.socket === socket) this.#strangers.delete(name);
    });
    const [oldest] = this.#strangers.values();
    if (this.#strangers.size > MAX_STRANGERS && oldest !== undefined)
      this.#turnAway(oldest.socket, 'had to make room for others');
  }

  /** Closes the socket of a stranger; what else becomes of it is of no interest. */
  #turnAway(socket: Socket, problem: string): void {
    if (this.#strangers.delete(nameOf(socket))) this.#count(socket, problem);
    socket.destroy();
  }

  #greet(secured: TLSSocket): void {
    const connection = ++this.#connections;
    const name = nameOf(secured);
    const socket = new MessageSocket(secured.setNoDelay(true), {
      message: (value) => {
        const message = workerMessage(value);
        if (message === undefined) {
          this.#count(secured, 'says what no worker says');
          socket.destroy();
          return;
        }
        const stranger = this.#strangers.get(name);
        if (stranger !== undefined) {
          this.#strangers.delete(name);
          clearTimeout(stranger.timer);
          socket.trust();
        }
        this.#listener.message(connection, message);
      },
      malformed: (problem) => this.#count(secured, `sent ${problem}`),
      closed: () => {
        this.#sockets.delete(connection);
        this.#listener.closed(connection);
      },
    });
    this.#sockets.set(connection, socket);
  }

  #count(socket: Socket, problem: string): void {
    this.#refused++;
    // Rarer and rarer, so that nobody can fill the log.
    if (Number.isInteger(Math.log2(this.#refused)))
      this.#logger.warn(
        `Turned away ${socket.remoteAddress ?? 'somebody'}, which ${problem} (${this.#refused} until now)`,
      );
  }
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return 'the port is in use; end whatever listens there, or choose another one';
  if (code === 'ENOTFOUND')
    return 'there is no host of that name; use a name or address of this machine';
  if (code === 'EADDRNOTAVAIL')
    return 'that is no address of this machine; use one, or 0.0.0.0 for all';
  if (code === 'EACCES') return 'this port needs more rights; choose one above 1023';
  return message;
}
