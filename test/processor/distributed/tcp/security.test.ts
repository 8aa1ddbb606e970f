import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  ChunkSizeError,
  DistributedAuthError,
  DistributedProtocolError,
} from '../../../../src/errors/distributed-errors.js';
import type { TcpManagerSession } from '../../../../src/processor/distributed/tcp/manager-session.js';
import { toFrame } from '../../../../src/processor/distributed/tcp/message-frame.js';
import {
  connectSecurely,
  createSecureServer,
} from '../../../../src/processor/distributed/tcp/secure-socket.js';
import { tcpEngine } from '../../../../src/processor/distributed/tcp/tcp-engine.js';
import { Random } from '../../../query/generate.js';
import { Cluster, chunks, DONE, next, POLICY, RUN, until } from '../engine-cluster.js';
import { urlOf, Wire } from './places.js';

const HELLO = { type: 'HELLO', v: 1, worker: 'w', version: '', slots: 1 };

async function withManager(
  body: (manager: TcpManagerSession, port: number, all: Cluster) => Promise<void>,
): Promise<void> {
  await using all = new Cluster(tcpEngine, urlOf(0), 15_000);
  const manager = (await all.manager()) as TcpManagerSession;
  await manager.begin(RUN);
  await body(manager, Number(new URL(manager.address).port), all);
  // Whatever happened, workers are served.
  const worker = await all.worker(1, { url: new URL(manager.address) });
  await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
  await (await next(worker)).ack(DONE);
  expect(await manager.settle(0)).toMatchObject({ completed: 1 });
}

/** Somebody who does not know the secret. */
function stranger(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => undefined);
}

/** Somebody who does. */
async function insider(port: number, secret: Uint8Array): Promise<TLSSocket> {
  const { signal } = new AbortController();
  const socket = await connectSecurely({ host: '127.0.0.1', port }, secret, signal);
  return socket.resume();
}

const closed = (socket: Socket) =>
  until('it is closed', () => socket.closed || socket.destroyed, 10_000);

test('random bytes, and a HELLO in clear, get no answer and stop nobody', () =>
  withManager(async (manager, port) => {
    const random = new Random(1);
    for (let n = 0; n < 50; n++) {
      const socket = stranger(port);
      const heard: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => heard.push(bytes));
      const bytes = Buffer.from(random.list(2000, () => random.below(256)));
      socket.end(n === 0 ? toFrame(HELLO) : bytes);
      await closed(socket);
      // At most an alert of TLS.
      expect(Buffer.concat(heard).length).toBeLessThan(10);
    }
    expect(manager.refused).toBeGreaterThan(0);
  }));

test('who says nothing, or does not say who it is, is gone after 5 s', () =>
  withManager(async (manager, port, all) => {
    const began = performance.now();
    const silent = [stranger(port), await insider(port, all.secret)];
    await Promise.all(silent.map(closed));
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(4000);
    expect(manager.refused).toBe(2);
  }));

test('strangers cannot keep workers out by their number', () =>
  withManager(async (manager, port) => {
    const crowd = Array.from({ length: 600 }, () => stranger(port));
    await until('some had to go', () => manager.refused > 0);
    await until('they are gone', () => crowd.filter((socket) => socket.closed).length >= 80);
    for (const socket of crowd) socket.destroy();
  }));

test('a long, malformed or unknown message costs its sender the connection', () =>
  withManager(async (manager, port, all) => {
    const say = async (...frames: readonly Buffer[]) => {
      const socket = await insider(port, all.secret);
      for (const frame of frames) socket.write(frame);
      await closed(socket);
    };
    const announced = (length: number) => {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(length);
      return prefix;
    };
    await say(announced(10 * 2 ** 20));
    await say(toFrame(HELLO), announced(65 * 2 ** 20));
    await say(toFrame(HELLO), announced(3), Buffer.from('{"a'));
    await say(announced(0));
    await say(toFrame({ type: 'constructor' }));
    await say(toFrame({ ...HELLO, slots: -1 }));
    await say(
      toFrame(HELLO),
      toFrame({ type: 'DONE', stage: 0, index: 0, token: 't', result: {} }),
    );
    expect(manager.refused).toBe(7);
    // What workers say, but not at this time.
    await say(toFrame({ type: 'PULL', held: [], wanted: 1 }));
    await say(toFrame(HELLO), toFrame(HELLO));
  }));

test('a worker with another secret is told so', () =>
  withManager(async (manager, _port, all) => {
    const url = new URL(manager.address);
    const refusal = all.worker(1, { url, secret: Buffer.alloc(32, 1) });
    await expect(refusal).rejects.toThrow(DistributedAuthError);
    await expect(refusal).rejects.toThrow(/no manager with our secret.*same secret file/);
    expect(manager.refused).toBe(1);
  }));

test('a manager without the secret gets nothing, even if the system trusts its certificate', async () => {
  const file = (name: string) =>
    fileURLToPath(new URL(`../../../fixtures/rogue-manager/${name}.pem`, import.meta.url));
  const certificate = file('certificate');
  const heard: Buffer[] = [];
  const rogue = createServer(
    { key: readFileSync(file('key')), cert: readFileSync(certificate) },
    (socket) =>
      socket.on('data', (bytes: Buffer) => heard.push(bytes)).on('error', () => undefined),
  ).listen(0, '127.0.0.1');
  await once(rogue, 'listening');
  const { port } = rogue.address() as AddressInfo;
  const engine = new URL(
    '../../../../build/processor/distributed/tcp/tcp-engine.js',
    import.meta.url,
  );
  const script = `
    const { tcpEngine } = await import(${JSON.stringify(engine.href)});
    const { connect } = await import('node:tls');
    const trusting = connect({ host: 'localhost', port: ${port} }, () => {
      console.log('trusted:', trusting.authorized);
      trusting.destroy();
      tcpEngine.worker({
        url: new URL('tcp://localhost:${port}'), secret: Buffer.alloc(32, 1), leaseMs: 1000,
        worker: 'w', slots: 1, version: '', logger: console,
      }).then(() => console.log('connected'), (error) => console.log(error.name));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += String(text);
  });
  await once(child, 'close');
  rogue.close();
  expect(output).toBe('trusted: true\nDistributedAuthError\n');
  expect(heard).toEqual([]);
});

test('another version of the protocol is refused by both sides', async () => {
  await withManager(async (_manager, port, all) => {
    const socket = await insider(port, all.secret);
    const heard: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => heard.push(bytes));
    socket.write(toFrame({ ...HELLO, v: 2 }));
    await closed(socket);
    expect(Buffer.concat(heard).toString()).toContain('{"type":"REFUSED","v":1}');
  });
  const secret = Buffer.alloc(32, 1);
  const newer = createSecureServer(secret).listen(0, '127.0.0.1');
  newer.on('secureConnection', (socket) => {
    socket.on('error', () => undefined).write(toFrame({ type: 'REFUSED', v: 2 }));
  });
  await once(newer, 'listening');
  await using all = new Cluster(tcpEngine, urlOf((newer.address() as AddressInfo).port), 15_000);
  const worker = await all.worker(1, { secret });
  await expect(worker.receive()).rejects.toThrow(DistributedProtocolError);
  newer.close();
});

test('a chunk that could not be handed out is refused at once', async () => {
  await using all = new Cluster(tcpEngine, urlOf(0), 15_000);
  const manager = await all.manager();
  await manager.begin(RUN);
  const plan = { header: 'h', chunks: ['small', 'x'.repeat(64 * 2 ** 20)] };
  const refusal = manager.submit(0, plan, POLICY);
  await expect(refusal).rejects.toThrow(ChunkSizeError);
  await expect(refusal).rejects.toThrow(/Chunk 1 has 67108864 bytes/);
});

test('whoever listens on the wire learns nothing', async () => {
  await using all = new Cluster(tcpEngine, urlOf(0), 15_000);
  const manager = await all.manager();
  await using wire = await Wire.to(Number(new URL(manager.address).port));
  await manager.begin(RUN);
  const worker = await all.worker(1, { url: wire.url, worker: 'MARK-worker' });
  const large = `MARK-chunk ${'x'.repeat(100_000)}`;
  await manager.submit(0, { header: 'MARK-header', chunks: [large] }, POLICY);
  const lease = await next(worker);
  expect(lease.payload).toBe(large);
  expect(await lease.held()).toBe(true);
  worker.log({ logger: 'MARK-logger', level: 'error', message: 'MARK-line' });
  await lease.nack({ name: 'MARK-name', message: 'MARK-error' }, { fatal: true });
  const { dead } = await manager.settle(0);
  expect(dead[0]?.error.message).toBe('MARK-error');
  const bytes = wire.heard();
  expect(bytes.length).toBeGreaterThan(large.length);
  const { secret } = all;
  const clear = ['MARK', 'HELLO', 'WELCOME', 'CHUNK', 'token', 'xxxxxxxx', secret];
  for (const text of [...clear, secret.toString('hex'), secret.toString('base64')])
    expect(bytes.includes(text), String(text)).toBe(false);
});
