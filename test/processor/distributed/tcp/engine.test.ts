import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  DistributedAddressError,
  RunLockedError,
} from '../../../../src/errors/distributed-errors.js';
import { InvalidOptionError } from '../../../../src/errors/option-errors.js';
import { tcpEngine } from '../../../../src/processor/distributed/tcp/tcp-engine.js';
import { freePort } from '../../../free-port.js';
import { Cluster, chunks, DONE, next, POLICY, RUN, serve } from '../engine-cluster.js';
import { describeEngine } from '../engine-suite.js';
import { urlOf } from './places.js';

// Workers must find a manager that was started again: its port is known before.
describeEngine('tcp', async () => ({
  engine: tcpEngine,
  url: urlOf(await freePort()),
  recoveryMs: 3000,
}));

test('a full disk ends the manager with an error that says so, and what was acknowledged stays done', async () => {
  await using all = new Cluster(tcpEngine, urlOf(0), 2000);
  const module = new URL(
    '../../../../build/processor/distributed/tcp/tcp-engine.js',
    import.meta.url,
  );
  const script = `
    const { tcpEngine } = await import(${JSON.stringify(module.href)});
    const secret = Buffer.from(${JSON.stringify(all.secret.toString('hex'))}, 'hex');
    const logger = { warn() {}, info() {} };
    const common = { secret, leaseMs: 15000, logger };
    const manager = await tcpEngine.manager({
      ...common, url: new URL('tcp://127.0.0.1:0'), stateFolder: ${JSON.stringify(all.folder)},
    });
    await manager.begin(${JSON.stringify(RUN)});
    const plan = ${JSON.stringify({ header: 'h', chunks: chunks(50) })};
    await manager.submit(0, plan, ${JSON.stringify(POLICY)});
    const url = new URL(manager.address);
    const worker = await tcpEngine.worker({ ...common, url, worker: 'w', slots: 1, version: '' });
    let acknowledged = 0;
    (async () => {
      for (;;) {
        await (await worker.receive()).ack(${JSON.stringify(DONE)});
        acknowledged++;
      }
    })();
    const error = await manager.settle(0).catch((error) => error);
    console.log(JSON.stringify({ code: error.code, message: error.message, acknowledged }));
    process.exit();`;
  const command = 'ulimit -f 8; exec "$0" --input-type=module -e "$1"';
  const output = execFileSync('sh', ['-c', command, process.execPath, script], {
    encoding: 'utf8',
  });
  const { code, message, acknowledged } = JSON.parse(output);
  expect({ code, message }).toEqual({
    code: 'RUN_STATE',
    message: expect.stringMatching(/journal cannot be written: .*it goes on with the run/),
  });
  expect(acknowledged).toBeGreaterThan(0);
  const manager = await all.manager();
  expect(await manager.begin(RUN)).toMatchObject({ stage: 0, planned: true });
  void serve(await all.worker(1, { url: new URL(manager.address) }));
  expect(await manager.settle(0)).toMatchObject({ completed: 50, result: { processed: 50 } });
  const done = all.events.filter(({ type }) => type === 'CHUNK_DONE').length;
  expect(done).toBeLessThanOrEqual(50 - acknowledged);
});

describe('addresses', () => {
  test('a second manager of a run is refused, and told who has it', async () => {
    await using all = new Cluster(tcpEngine, urlOf(0), 15_000);
    const [first, second] = [await all.manager(), await all.manager()];
    await first.begin(RUN);
    const refusal = await second.begin(RUN).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RunLockedError);
    expect(String(refusal)).toContain(`process ${process.pid} on`);
    await first[Symbol.asyncDispose]();
    expect(await second.begin(RUN)).toMatchObject({ stage: 0 });
  });

  test('a port that is in use, a host that does not exist and a URL without a port are named', async () => {
    await using all = new Cluster(tcpEngine, urlOf(0), 15_000);
    const { address } = await all.manager();
    const taken = all.manager({ url: new URL(address) });
    await expect(taken).rejects.toThrow(`Cannot listen at ${address}: the port is in use`);
    await expect(taken).rejects.toThrow(DistributedAddressError);
    const nowhere = new URL('tcp://host.invalid:7417');
    await expect(all.manager({ url: nowhere })).rejects.toThrow(DistributedAddressError);
    await expect(all.worker(1, { url: nowhere })).rejects.toThrow(/host\.invalid/);
    const portless = new URL('tcp://127.0.0.1');
    await expect(all.worker(1, { url: portless })).rejects.toThrow(InvalidOptionError);
  });

  test('a worker may come before its manager', async () => {
    const url = urlOf(await freePort());
    await using all = new Cluster(tcpEngine, url, 15_000);
    const worker = await all.worker();
    const waiting = next(worker);
    const manager = await all.manager();
    await manager.begin(RUN);
    await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
    await (await waiting).ack(DONE);
    expect(await manager.settle(0)).toMatchObject({ completed: 1 });
  });
});
