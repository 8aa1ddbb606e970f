import type { TLSSocket } from 'node:tls';
import { FrameDecoder, FrameError, MAX_FRAME, toFrame } from './message-frame.js';

/** What is not worth more memory than that when the other side does not read. */
const BEST_EFFORT_BYTES = 2 ** 20;

/** So long may the other side take to close it, too. */
const END_MS = 2000;

/** Hears of a socket. */
export interface SocketListener {
  message(value: unknown): void;
  /** What came is no message; the socket is closed. */
  malformed(problem: string): void;
  /** The last call, exactly once. */
  closed(): void;
}

/** A socket that carries messages. */
export class MessageSocket {
  readonly #socket: TLSSocket;
  readonly #decoder = new FrameDecoder();
  readonly #listener: SocketListener;
  #isOver = false;

  constructor(socket: TLSSocket, listener: SocketListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.once('close', () => listener.closed());
  }

  /** The other side is known now: its messages may be long. */
  trust(): void {
    this.#decoder.limit = MAX_FRAME;
  }

  send(message: object): void {
    if (this.#socket.writable) this.#socket.write(toFrame(message));
  }

  /** Sends what may get lost. */
  sendBestEffort(message: object): void {
    if (this.#socket.writableLength < BEST_EFFORT_BYTES) this.send(message);
  }

  /** Closes it when everything was sent; nothing more is heard. */
  end(): void {
    this.#isOver = true;
    this.#socket.end();
    // The other side may be stopped.
    this.#socket.setTimeout(END_MS, () => this.#socket.destroy());
  }

  /** Closes it at once; nothing more is heard. */
  destroy(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      for (const message of this.#decoder.push(bytes)) {
        this.#listener.message(message);
        if (this.#isOver) return;
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.destroy();
      this.#listener.malformed(error.message);
    }
  }
}
