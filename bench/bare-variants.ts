import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { NO_RESULT } from '../src/processor/distributed/chunk-result.js';
import { redisPlace } from './meeting-places.js';
import { BARE, startWorkers } from './simulated-workers.js';
import type { Variant } from './workload.js';

const PAGE = 1000;
/** As often as our manager looks. */
const LOOK_MS = 200;

/** As many lines of as many bytes over as many bare connections, each answered: no lease, no seal, nothing remembered. */
export const answered =
  (count: number): Variant =>
  async (numChunks, _folder, defer) => {
    const server = createServer((socket) => {
      const chunk = `${JSON.stringify({ type: 'CHUNK', sealed: 'x'.repeat(200) })}\n`;
      createInterface({ input: socket }).on('line', () => socket.write(chunk));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    defer(async () => server.close());
    const done = `${JSON.stringify({ type: 'DONE', result: NO_RESULT })}\n`;
    return async () => {
      let left = numChunks;
      const lane = async () => {
        const socket = connect(port, '127.0.0.1').setNoDelay(true);
        const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
        while (left-- > 0) {
          socket.write(done);
          await lines.next();
        }
        socket.destroy();
      };
      await Promise.all(Array.from({ length: count }, lane));
    };
  };

/** The same jobs with BullMQ alone, and as many of its workers. */
export const bullmq =
  (count: number, startAll = startWorkers): Variant =>
  async (numChunks, _folder, defer) => {
    const { href: url } = await redisPlace(defer);
    const { name, prefix } = BARE;
    const queue = new Queue(name, { connection: { url }, prefix });
    defer(() => queue.close());
    await startAll({ kind: 'bare', url, secret: '', count }, defer);
    const data = 'x'.repeat(200);
    return async () => {
      for (let from = 0; from < numChunks; from += PAGE) {
        const length = Math.min(PAGE, numChunks - from);
        await queue.addBulk(Array.from({ length }, () => ({ name: 'chunk', data })));
      }
      while ((await queue.getCompletedCount()) < numChunks) await setTimeout(LOOK_MS);
    };
  };
