import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Defer } from './workload.js';

/** Makes a place where manager and workers meet, for the time of the measurement. */
export type MeetingPlace = (folder: string, defer: Defer) => Promise<URL>;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Where the manager will listen. */
export const tcpPlace: MeetingPlace = async () => new URL(`tcp://127.0.0.1:${await freePort()}`);

/** A Redis of its own, with AOF, as it has to be. */
export const redisPlace: MeetingPlace = async (folder, defer) => {
  const port = await freePort();
  const dir = path.join(folder, 'redis');
  await mkdir(dir);
  const kept = ['--dir', dir, '--save', '', '--appendonly', 'yes'];
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...kept], {
    stdio: 'ignore',
  });
  const exit = once(server, 'exit');
  defer(async () => {
    server.kill('SIGKILL');
    await exit;
  });
  await answering(port);
  return new URL(`redis://127.0.0.1:${port}`);
};

async function answering(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1', {
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  // It is tried again.
  client.on('error', () => undefined);
  try {
    const answered = await Promise.race([client.ping(), setTimeout(10_000)]);
    if (answered === undefined) throw new RangeError('waited in vain for redis-server');
  } finally {
    client.disconnect();
  }
}
