import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';

/** A private Redis on a free port of this machine, with a folder that outlives its death. */
export class RedisServer implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'maggma-redis-'));
  readonly port: number;
  readonly #options: readonly string[];
  readonly #scheme: 'redis' | 'rediss';
  #process: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[], scheme: 'redis' | 'rediss') {
    this.port = port;
    this.#options = ['--port', String(port), ...options];
    this.#scheme = scheme;
  }

  /** @param options - More of the command line; with AOF if it does not say otherwise. */
  static async start(...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options, 'redis');
    await server.start();
    return server;
  }

  /** One that speaks TLS alone, with the files of a key and its certificate. */
  static async startTls(key: string, cert: string): Promise<RedisServer> {
    const port = await freePort();
    const files = ['--tls-key-file', key, '--tls-cert-file', cert, '--tls-ca-cert-file', cert];
    const tls = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
    const server = new RedisServer(port, tls, 'rediss');
    await server.start();
    return server;
  }

  get url(): URL {
    return new URL(`${this.#scheme}://127.0.0.1:${this.port}`);
  }

  /** Starts it again, with what it remembers. */
  async start(): Promise<void> {
    const usual = [
      '--bind',
      '127.0.0.1',
      '--dir',
      this.folder,
      '--save',
      '',
      '--appendonly',
      'yes',
      // With `everysec` it answers before it has written, while the disk is busy.
      '--appendfsync',
      'always',
    ];
    this.#process = spawn('redis-server', [...usual, ...this.#options], { stdio: 'ignore' });
    await this.#answering();
  }

  /** Kills it without warning. */
  async kill(): Promise<void> {
    const exit = once(this.#process as ChildProcess, 'exit');
    this.#process?.kill('SIGKILL');
    await exit;
    this.#process = undefined;
  }

  /** All that it has on its disk. */
  written(): Buffer {
    const entries = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return Buffer.concat(
      files.map(({ parentPath, name }) => readFileSync(path.join(parentPath, name))),
    );
  }

  /** Lends a client without a password. */
  async ask<R>(action: (client: Redis) => Promise<R>): Promise<R> {
    const client = new Redis(this.port, '127.0.0.1', { lazyConnect: true });
    try {
      await client.connect();
      return await action(client);
    } finally {
      client.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process !== undefined) await this.kill();
    rmSync(this.folder, { recursive: true });
  }

  async #answering(): Promise<void> {
    const deadline = performance.now() + 10_000;
    const connectTo = () =>
      this.#scheme === 'rediss'
        ? connectTls({ host: '127.0.0.1', port: this.port, rejectUnauthorized: false })
        : connect(this.port, '127.0.0.1');
    while (!/^(?:\+PONG|-NOAUTH)/.test(await ping(connectTo()))) {
      if (performance.now() > deadline) throw new RangeError('waited in vain for redis-server');
      await setTimeout(20);
    }
  }
}

/** What a Redis answers; nothing when there is none. */
async function ping(socket: Socket): Promise<string> {
  try {
    // It is sent when there is a connection.
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    return String(answer);
  } catch {
    return '';
  } finally {
    socket.destroy();
  }
}
