import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A TCP proxy whose connections can be cut in the middle of a message. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server;
  readonly #sockets = new Set<Socket>();
  #cutAfter = Number.POSITIVE_INFINITY;
  #cutsAnswers = false;
  /** How many connections were cut. */
  cuts = 0;

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => this.#join(client, connect(port, host)));
  }

  /** @param at - The port on which it listens, to take the place of an earlier one; 0 for any. */
  static async to(host: string, port: number, at = 0): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(host, port);
    await new Promise<void>((resolve) => proxy.#server.listen(at, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts the connection that carries the n-th next byte to the server: that byte is the last to arrive. */
  cutAfter(bytes: number): void {
    this.#cutAfter = bytes;
  }

  /** Cuts the connection that carries the next answer larger than `bytes`: the request was carried out. */
  cutNextAnswer(): void {
    this.#cutsAnswers = true;
  }

  /** Refuses new connections and cuts all that there are. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    let isWriting = false;
    client.on('data', (data) => {
      // Heartbeats are small; what is larger is a request with documents.
      isWriting = isWriting || data.length > 4000;
      const left = this.#cutAfter;
      this.#cutAfter -= data.length;
      if (data.length < left) server.write(data);
      else {
        this.#cutAfter = Number.POSITIVE_INFINITY;
        this.cuts++;
        server.write(data.subarray(0, left), cut);
      }
    });
    server.on('data', (data) => {
      if (!this.#cutsAnswers || !isWriting) client.write(data);
      else {
        this.#cutsAnswers = false;
        this.cuts++;
        cut();
      }
    });
  }
}
