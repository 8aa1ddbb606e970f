import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AnyBuilder, Doc, PortableError } from 'maggma';
import { CopyBuilder, dumps, GroupBuilder, MemoryStore } from 'maggma';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ChunkProcessing } from '../../../src/processor/distributed/chunk-process.js';
import { ChunkProcesses } from '../../../src/processor/distributed/chunk-process.js';
import { ChunkSlot } from '../../../src/processor/distributed/chunk-slot.js';
import { CodePlaces } from '../../../src/processor/distributed/code-versions.js';
import type { ChunkResult, Lease } from '../../../src/processor/distributed/engine.js';
import { HEADER, Sealer } from '../../../src/processor/distributed/seal.js';
import { readHeader, writeHeader } from '../../../src/processor/distributed/stage-header.js';
import { createLogger } from '../../../src/util/logger.js';
import { ChunkedBuilder, ChunkedMapBuilder } from '../../fixtures/chunked-builder.js';
import { contents } from '../../fixtures/stores.js';
import { childrenOf } from '../multiprocess/support.js';
import { until, Workshop } from './support.js';

const sealer = new Sealer(randomBytes(32));
const NEVER = new AbortController().signal;

/** A lease as an engine gives it, which remembers what came of it. */
class TestLease implements Lease {
  readonly id = { run: 'r', stage: 0, index: 0 };
  readonly attempt = 1;
  readonly header: string;
  readonly payload: string;
  readonly loss = new AbortController();
  readonly lost = this.loss.signal;
  isHeld = true;
  readonly said: unknown[] = [];
  result: ChunkResult | undefined;
  error: (PortableError & { readonly fatal?: boolean | undefined }) | undefined;

  constructor(header: string, change: object, text = dumps(change)) {
    this.header = sealer.seal(header, { ...this.id, index: HEADER });
    this.payload = sealer.seal(text, this.id);
  }

  async held() {
    this.said.push('held?');
    return this.isHeld;
  }
  progress() {}
  updating(items: number) {
    this.said.push(items);
  }
  async ack(result: ChunkResult) {
    this.result = result;
  }
  async nack(error: PortableError, { fatal }: { fatal?: boolean } = {}) {
    this.error = { ...error, fatal };
  }
  async release() {
    this.said.push('released');
  }
}

let shop: Workshop;
let slot: ChunkSlot;
const logged: unknown[] = [];

const open = (
  processing: ChunkProcessing = {},
  allow: string[] = [],
  ahead?: ReturnType<ChunkProcesses['take']>,
) =>
  new ChunkSlot(
    {
      session: {
        ...{ address: 'here', isServed: true },
        log: (line: object) => logged.push(line),
        receive: async () => undefined,
        async [Symbol.asyncDispose]() {},
      },
      ...{ sealer, processing, allow },
      places: new CodePlaces(allow),
      logger: createLogger('test'),
    },
    ahead,
  );

beforeEach(() => {
  shop = new Workshop();
  slot = open();
  logged.length = 0;
});
afterEach(async () => {
  await slot[Symbol.asyncDispose]();
  await until('no child is left', 5000, () => childrenOf(process.pid).length === 0);
  await shop[Symbol.asyncDispose]();
});

async function chunked(docs: readonly Doc[], options = {}) {
  const [source, target] = [await shop.store('source', docs), await shop.store('target')];
  const builder = new ChunkedBuilder(source, target, options);
  return { header: writeHeader(builder, null), target };
}

const pids = () =>
  childrenOf(process.pid)
    .filter((line) => line.includes('chunk-child'))
    .map((line) => Number(line.split(' ')[0]));

describe('a chunk', () => {
  test('is built by a child, which asks before it writes, and serves the next one', async () => {
    const docs = [0, 1, 2, 3].map((k) => ({ k, ...(k === 1 && { do: 'throw', log: true }) }));
    const { header, target } = await chunked(docs);
    const first = new TestLease(header, { keys: [0, 1] });
    expect(await slot.work(first, NEVER)).toBe('done');
    expect(first.result).toMatchObject({ processed: 2, succeeded: 1, failed: 1, warnings: 1 });
    expect(first.result?.failures).toMatchObject([{ key: 1, cause: 'error', attempts: 1 }]);
    expect(first.said).toEqual([1, 'held?']);
    expect(logged).toMatchObject([
      { logger: 'ChunkedBuilder', level: 'warning', message: 'item 1 says {hello}' },
      { logger: 'SerialProcessor', level: 'error' },
    ]);
    const [pid] = pids();
    const second = new TestLease(header, { keys: [2, 3] });
    // An engine hands out the same header for all chunks of a stage.
    Object.assign(second, { header: first.header });
    expect(await slot.work(second, NEVER)).toBe('done');
    expect(pids()).toEqual([pid]);
    expect(await contents(target)).toEqual([0, 2, 3].map((k) => ({ k, built: true })));
  });

  test('is built by a process that was started ahead, or by another one when that has died', async () => {
    const { header } = await chunked([{ k: 0 }]);
    await using processes = new ChunkProcesses(2);
    for (const isAlive of [true, false]) {
      const ahead = processes.take();
      await using other = open({}, [], ahead);
      await until('they are there', 20_000, () => pids().length > 0);
      const before = pids();
      if (!isAlive) {
        for (const pid of before) process.kill(pid, 'SIGKILL');
        await until('it is dead', 20_000, () => ahead?.isOver === true);
      }
      const lease = new TestLease(header, { keys: [0] });
      expect([await other.work(lease, NEVER), lease.error]).toEqual(['done', undefined]);
      expect(pids().some((pid) => !before.includes(pid))).toBe(!isAlive);
    }
  });

  test('is lost when another one was faster to say that it is done', async () => {
    const { header } = await chunked([{ k: 0 }]);
    const lease = new TestLease(header, { keys: [0] });
    lease.ack = async () => lease.loss.abort();
    expect(await slot.work(lease, NEVER)).toBe('lost');
  });

  test('comes to the same counts when it is built again', async () => {
    const docs = [0, 1, 2, 3].map((k) => ({ k, a: k, do: ['', 'throw', 'skip', ''][k] }));
    const [source, target] = [await shop.store('source', docs), await shop.store('target')];
    const builder = new ChunkedMapBuilder(source, target, { deleteOrphans: true });
    await target.update({ k: 99, a: 1 });
    const chunks = [];
    for await (const change of builder.prechunk(1)) chunks.push(change);
    expect(builder.total).toBe(4);
    for (let time = 0; time < 2; time++) {
      const lease = new TestLease(writeHeader(builder, null), chunks[0] as object);
      expect([await slot.work(lease, NEVER), lease.error]).toEqual(['done', undefined]);
      expect(lease.result).toMatchObject({ processed: 4, succeeded: 2, failed: 1, skipped: 1 });
    }
    // An orphan: what finalize does is not done in a chunk.
    expect(await target.count({ k: 99 })).toBe(1);
  });

  test.each([
    ['exit', /the worker exited with code 3/],
    ['kill', /the worker was killed by SIGKILL/],
  ])('that does "%s" costs its child, and nothing else', async (deed, problem) => {
    const { header, target } = await chunked([{ k: 0, do: deed }, { k: 1 }]);
    const bad = new TestLease(header, { keys: [0] });
    expect(await slot.work(bad, NEVER)).toBe('failed');
    expect(bad.error).toMatchObject({
      code: 'WORKER_LOST',
      message: expect.stringMatching(problem),
    });
    expect(bad.error?.fatal).toBe(false);
    expect(await slot.work(new TestLease(header, { keys: [1] }), NEVER)).toBe('done');
    expect(await contents(target)).toEqual([{ k: 1, built: true }]);
  });

  test('has its items in workers when the builder has a time limit', async () => {
    const docs = [{ k: 0, do: 'loop' }, { k: 1 }, { k: 2, do: 'exit' }];
    const { header, target } = await chunked(docs, { timeoutMs: 1000 });
    const lease = new TestLease(header, { keys: [0, 1, 2] });
    expect(await slot.work(lease, NEVER)).toBe('done');
    expect(lease.result).toMatchObject({ processed: 3, succeeded: 1, failed: 2 });
    expect(lease.result?.failures.map(({ cause }) => cause).sort()).toEqual([
      'timeout',
      'worker-lost',
    ]);
    expect(await contents(target)).toEqual([{ k: 1, built: true }]);
  });

  test('has them in processes when the worker was told so', async () => {
    await using other = open({ isolation: 'process' });
    const { header } = await chunked([{ k: 0, do: 'kill' }, { k: 1 }]);
    const lease = new TestLease(header, { keys: [0, 1] });
    expect(await other.work(lease, NEVER)).toBe('done');
    expect(lease.result).toMatchObject({ succeeded: 1, failed: 1 });
  });

  test('writes nothing any more when the lease is not held', async () => {
    const { header, target } = await chunked([{ k: 0 }]);
    const lease = new TestLease(header, { keys: [0] });
    lease.isHeld = false;
    expect(await slot.work(lease, NEVER)).toBe('failed');
    expect(lease.error).toMatchObject({ code: 'LEASE_LOST' });
    expect(await target.count()).toBe(0);
  });

  test('is ended, and nothing said, when the lease is lost', async () => {
    const { header } = await chunked([{ k: 0, do: 'loop', file: shop.file('begun') }]);
    const lease = new TestLease(header, { keys: [0] });
    const working = slot.work(lease, NEVER);
    await until('the chunk is at work', 20_000, () => pids().length === 1);
    lease.loss.abort();
    expect(await working).toBe('lost');
    expect(lease.error ?? lease.result).toBeUndefined();
  });

  test('in which nothing moves is told of, also to the manager', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { header } = await chunked([{ k: 0, do: 'loop' }]);
    const lease = new TestLease(header, { keys: [0] });
    const working = slot.work(lease, NEVER);
    await until('the chunk is at work', 20_000, () => pids().length === 1);
    vi.advanceTimersByTime(6 * 60_000);
    vi.useRealTimers();
    lease.loss.abort();
    await working;
    const message = expect.stringMatching(/^Chunk 0 of ChunkedBuilder: nothing was .* for 5 min; /);
    expect(logged).toEqual([{ logger: 'ChunkSlot', level: 'warning', message }]);
  });

  test('is handed back when the worker leaves', async () => {
    const { header } = await chunked([{ k: 0, do: 'loop' }]);
    const lease = new TestLease(header, { keys: [0] });
    const leaving = new AbortController();
    const working = slot.work(lease, leaving.signal);
    await until('the chunk is at work', 20_000, () => pids().length === 1);
    leaving.abort();
    expect(await working).toBe('released');
    expect(lease.said).toEqual(['released']);
  });
});

describe('what comes over the wire', () => {
  test('is refused when it was sealed for another place or with another secret', async () => {
    const { header, target } = await chunked([{ k: 0 }]);
    const lease = new TestLease(header, { keys: [0] });
    const replayed = Object.assign(lease, { id: { ...lease.id, index: 5 } });
    expect(await slot.work(replayed, NEVER)).toBe('failed');
    expect(lease.error).toMatchObject({ code: 'SEAL', fatal: true });
    const forged = new TestLease(header, {});
    Object.assign(forged, {
      header: new Sealer(randomBytes(32)).seal(header, { ...forged.id, index: HEADER }),
    });
    expect(await slot.work(forged, NEVER)).toBe('failed');
    expect(forged.error).toMatchObject({ code: 'SEAL', fatal: true });
    expect(await target.count()).toBe(0);
    expect(pids()).toEqual([]);
  });

  test('cannot be built when the arguments do not fit', async () => {
    const { header } = await chunked([{ k: 0 }]);
    const lease = new TestLease(header, { chunk_size: -1 });
    expect(await slot.work(lease, NEVER)).toBe('failed');
    expect(lease.error).toMatchObject({ code: 'DESERIALIZATION', fatal: true });
  });

  test.each([
    [{ maggma: '9.9.9' }, /has another maggma.*0\.1\.0 here, 9\.9\.9 at the manager/],
    [{ 'no-such-package': '1.0.0' }, /lacks no-such-package \(1\.0\.0\), seen from/],
    [{ './no-such-script.ts': 'abc' }, /lacks \.\/no-such-script\.ts/],
    [{ './package.json': 'abc' }, /has another \.\/package\.json/],
    [{ '../main/package.json': 'abc' }, /lacks \.\.\/main/],
    [{ './src/../package.json': 'abc' }, /lacks \.\/src/],
  ])('is handed back by a worker that lacks %j', async (versions, problem) => {
    const { header } = await chunked([{ k: 0 }]);
    const other = { ...readHeader(header), versions };
    const lease = new TestLease(JSON.stringify(other), { keys: [0] });
    await expect(slot.work(lease, NEVER)).rejects.toThrow(problem);
    expect(lease.said).toEqual(['released']);
    expect(pids()).toEqual([]);
  });

  test('never names a module that was not compared, nor a path', async () => {
    const { header } = await chunked([{ k: 0 }]);
    writeFileSync(shop.file('evil.mjs'), `throw new Error('it ran')`);
    for (const module of [
      `file://${shop.file('evil.mjs')}`,
      shop.file('evil.mjs'),
      './evil.mjs',
      'yaml',
    ]) {
      const evil = { '@module': module, '@class': 'Evil', '@version': null };
      const lease = new TestLease(header, {}, JSON.stringify({ keys: evil }));
      expect(await slot.work(lease, NEVER)).toBe('failed');
      expect(lease.error?.message).toMatch(/is not allowed here|there is no module/);
      expect(lease.error?.message).not.toMatch(/it ran/);
    }
  });

  test('may name a script below a folder that is allowed, as long as it is the same', async () => {
    mkdirSync(shop.file('scripts'));
    const file = shop.file('scripts/copy.mjs');
    const index = new URL('../../../dist/index.js', import.meta.url).href;
    writeFileSync(
      file,
      `import { CopyBuilder, MSONable } from '${index}';
      export class Copier extends CopyBuilder {}
      MSONable(import.meta.url)(Copier);`,
    );
    const [source, target] = [await shop.store('source', [{ k: 1 }]), await shop.store('target')];
    const { builder, ...others } = readHeader(writeHeader(new CopyBuilder(source, target), null));
    const header = JSON.stringify({
      ...others,
      builder: { ...builder, '@module': './scripts/copy.mjs', '@class': 'Copier' },
      versions: { './scripts/copy.mjs': digestOf(file) },
    });
    await using other = open({}, [shop.folder]);
    const lease = new TestLease(header, { query: { k: { $in: [1] } } });
    expect(await other.work(lease, NEVER)).toBe('done');
    expect(await target.count()).toBe(1);
    await expect(slot.work(new TestLease(header, {}), NEVER)).rejects.toThrow(/lacks/);
    appendFileSync(file, '// changed');
    await using third = open({}, [shop.folder]);
    await expect(third.work(new TestLease(header, {}), NEVER)).rejects.toThrow(/has another/);
  });
});

const digestOf = (file: string) =>
  createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);

describe('a builder that cannot be distributed is refused at once:', () => {
  const store = () => new MemoryStore({ key: 'k' });

  test('one without prechunk', async () => {
    class Whole extends GroupBuilder {
      unaryFunction() {
        return {};
      }
    }
    const [source, target] = [await shop.store('a'), await shop.store('b')];
    const builder: AnyBuilder = Object.assign(new Whole(source, target, ['x']), {});
    Object.defineProperty(builder, 'prechunk', {
      value: Object.getPrototypeOf(GroupBuilder.prototype).prechunk,
    });
    expect(() => writeHeader(builder, null)).toThrow(
      /Whole cannot be distributed: implement prechunk/,
    );
  });

  test('one whose stores nobody else can see', () => {
    const builder = new ChunkedMapBuilder(store(), store());
    expect(() => writeHeader(builder, null)).toThrow(/mem:\/\/.* cannot be shared/);
  });
});
