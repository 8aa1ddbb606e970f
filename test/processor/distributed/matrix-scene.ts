import { existsSync, readFileSync } from 'node:fs';
import type { BuildReport, Doc } from 'maggma';
import type { Place, Program, Step } from './cluster.js';
import { Cluster } from './cluster.js';
import { until } from './support.js';

const module = new URL('../../fixtures/distributed/traced-builders.mjs', import.meta.url).href;

/** Where a lease must run out. */
export const SHORT_LEASE_MS = 2000;
export const CHUNKS = 6;
const CHUNK_ITEMS = 4;
const ITEM_MS = 75;
/** The chunk with which something is wrong: its first key. */
export const BAD_CHUNK = 2 * CHUNK_ITEMS;
const WITHIN_MS = 60_000;

const DOCS: Doc[] = Array.from({ length: CHUNKS * CHUNK_ITEMS }, (_, k) => {
  return { k, a: k, ms: ITEM_MS };
});
const STEPS: Step[] = [['source', 'target', { deleteOrphans: true, maxOrphanShare: 1 }]];

/** Something that happened to a chunk, as its process or its manager wrote it down. */
interface Trace {
  readonly at: number;
  readonly what: 'start' | 'write' | 'prechunk' | 'cut' | 'finalize';
  readonly chunk: number | null;
  readonly pid: number;
  /** Of a chunk's process: its worker. */
  readonly ppid: number;
}

/** What came of a scene. */
export interface Outcome {
  /** Between the death and the moment at which work went on, or was given up. */
  readonly seconds: number;
  /** How many chunks were begun once more, each time. */
  readonly again: number;
  /** Documents that are neither built nor of a chunk that was reported as given up. */
  readonly missing: number;
  readonly doubled: number;
  /** Chunks that were given up. */
  readonly dead: number;
  readonly exits: string;
}

/** Manager and workers at work on a collection, and what they leave in writing. */
export class Scene implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly #leaseMs: number;
  readonly #names = new Map<Program, string>();
  #diedAt = 0;
  #wentOnAt = 0;

  private constructor(cluster: Cluster, leaseMs: number) {
    this.cluster = cluster;
    this.#leaseMs = leaseMs;
  }

  /** @param url - Where they meet; a free port if it is undefined. */
  static async open(url: URL | undefined, leaseMs: number): Promise<Scene> {
    const scene = new Scene(await Cluster.open(url), leaseMs);
    await scene.cluster.shop.store('source', DOCS);
    await scene.cluster.shop.store('target', [{ k: 'orphan', a: 0 }]);
    return scene;
  }

  manager(options: object = {}, env: Record<string, string> = {}): Program {
    const usual = { numChunks: CHUNKS, leaseMs: this.#leaseMs, backoffMs: 100, attempts: 2 };
    const given = { ...usual, ...options };
    return this.#named('manager', this.cluster.manager(STEPS, given, { module, env }));
  }

  worker(options: object = {}, place: Place = {}): Program {
    return this.#named('worker', this.cluster.worker(options, place));
  }

  /** Now, or then, something died. */
  died(at = Date.now()): void {
    this.#diedAt = at;
  }

  /** Now, or then, work went on. */
  wentOn(at = Date.now()): void {
    this.#wentOnAt = at;
  }

  /** What happened until now; of one kind. */
  traces(what: Trace['what']): Trace[] {
    const file = `${this.cluster.shop.file('data.db')}.trace`;
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // The last line may be on its way.
    const lines = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Trace).filter((trace) => trace.what === what);
  }

  /** Waits for something to happen; gives what it was. */
  async sees(what: Trace['what'], isIt: (trace: Trace) => boolean = () => true): Promise<Trace> {
    await until(`there is a ${what}`, WITHIN_MS, () => this.traces(what).some(isIt));
    return this.traces(what).find(isIt) as Trace;
  }

  /** Waits until a worker is in the midst of a chunk; which one. */
  async isAtWork(worker: Program): Promise<Trace> {
    const last = (what: Trace['what']) =>
      this.traces(what).findLast(({ ppid }) => ppid === worker.pid);
    const isBusy = () => (last('start')?.at ?? 0) > (last('write')?.at ?? 0);
    await until('a worker is in a chunk', WITHIN_MS, isBusy);
    return last('start') as Trace;
  }

  /** Waits until a chunk that somebody had begun starts in another process. */
  async startsElsewhere({ chunk, pid, at }: Trace): Promise<Trace> {
    const isIt = (trace: Trace) => trace.chunk === chunk && trace.pid !== pid && trace.at >= at;
    const start = await this.sees('start', isIt);
    this.wentOn(start.at);
    return start;
  }

  /** Waits until another chunk is begun. */
  async goesOn(since = Date.now()): Promise<void> {
    this.wentOn((await this.sees('start', ({ at }) => at > since)).at);
  }

  /** Waits for the end of all processes, and counts. */
  async outcome(): Promise<Outcome> {
    for (const program of this.#names.keys()) await program.end(120_000);
    const target = await this.cluster.shop.store('target');
    const built = await target.query({ k: { $type: 'number' } }).toArray();
    const good = new Set(built.filter(({ k, a }) => a === k + 1).map(({ k }) => k));
    const starts = this.traces('start');
    const dead = this.#givenUp();
    const isDue = ({ k }: Doc) => !dead.has(`chunk ${Math.floor(k / CHUNK_ITEMS)}`);
    return {
      seconds: (this.#wentOnAt - this.#diedAt) / 1000,
      again: starts.length - new Set(starts.map(({ chunk }) => chunk)).size,
      missing: DOCS.filter((doc) => isDue(doc) && !good.has(doc['k'])).length,
      doubled: built.length - new Set(built.map(({ k }) => k)).size,
      dead: dead.size,
      exits: [...this.#names].map(([program, name]) => `${name} ${program.exit}`).join(', '),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  /** The chunks that a manager reports as failed. */
  #givenUp(): Set<unknown> {
    const reports = [...this.#names.keys()].flatMap(({ lines }) => lines.at(-1)?.['reports'] ?? []);
    return new Set(
      (reports as BuildReport[]).flatMap((each) => each.failures.map(({ key }) => key)),
    );
  }

  #named(name: string, program: Program): Program {
    this.#names.set(program, name);
    return program;
  }
}
