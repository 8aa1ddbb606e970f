import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export const urlOf = (port: number): URL => new URL(`tcp://127.0.0.1:${port}`);

/** A wire between workers and their manager that can be listened to, cut and blocked. */
export class Wire implements AsyncDisposable {
  readonly #target: number;
  readonly #server = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  readonly #heard: Buffer[] = [];
  #isBlocked = false;
  /** How many connections were made. */
  joined = 0;

  private constructor(target: number) {
    this.#target = target;
  }

  /** @param target - The manager's port. */
  static async to(target: number): Promise<Wire> {
    const wire = new Wire(target);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get url(): URL {
    return urlOf((this.#server.address() as AddressInfo).port);
  }

  /** All bytes that went through, in both directions. */
  heard(): Buffer {
    return Buffer.concat(this.#heard);
  }

  /** Breaks all connections; new ones can be made. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Nothing goes through, and nobody is told. */
  block(): void {
    this.#isBlocked = true;
    for (const socket of this.#sockets) socket.pause();
  }

  unblock(): void {
    this.#isBlocked = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    this.joined++;
    const far = connect(this.#target, '127.0.0.1');
    this.#pass(near, far);
    this.#pass(far, near);
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    if (this.#isBlocked) from.pause();
    from.on('data', (bytes: Buffer) => {
      this.#heard.push(bytes);
      to.write(bytes);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
