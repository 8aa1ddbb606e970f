import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BuildReport, Doc, WorkerReport } from 'maggma';
import { freePort } from '../../free-port.js';
import { until, Workshop } from './support.js';
import { urlOf } from './tcp/places.js';

const script = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/distributed/${name}.mjs`, import.meta.url));

/** A build: from which collection to which, with which options. */
export type Step = readonly [from: string, to: string, options?: object];

/** Where a program is started, and the module of its builders. */
export interface Place {
  readonly cwd?: string;
  readonly module?: string;
  /** The command that starts it elsewhere. */
  readonly via?: readonly string[];
  /** What is not as in this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What becomes of what it writes to stderr. */
  readonly stderr?: 'inherit' | 'ignore';
}

/** A process that prints JSON lines. */
export class Program {
  readonly child: ChildProcess;
  readonly lines: Doc[] = [];
  readonly ended: Promise<unknown>;

  constructor(name: string, setup: object, place: Place = {}) {
    const { cwd, env, via = [], stderr = 'inherit' } = place;
    const line = [...via, process.execPath, script(name), JSON.stringify(setup)];
    this.child = spawn(line[0] as string, line.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', stderr],
    });
    const lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.lines.push(JSON.parse(line) as Doc));
    this.ended = Promise.all([once(this.child, 'exit'), once(lines, 'close')]);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** What it logged. */
  get logged(): string[] {
    return this.lines.flatMap(({ log }) => (log === undefined ? [] : [String(log)]));
  }

  /** The events of one name. */
  events(name: string): Doc[] {
    return this.lines.filter(({ event }) => event === name);
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Its exit code, or the signal that killed it. */
  get exit(): string {
    return String(this.child.exitCode ?? this.child.signalCode);
  }

  /** Waits for its end, but not for ever. */
  async end(withinMs = 60_000): Promise<Doc> {
    await until(
      `process ${this.pid} ends: ${this.logged.slice(-5).join('\n')}`,
      withinMs,
      () => this.isOver,
    );
    await this.ended;
    return this.lines.at(-1) as Doc;
  }
}

/** Managers and workers in processes of their own, which meet on a free port of this machine. */
export class Cluster implements AsyncDisposable {
  readonly shop = new Workshop();
  readonly url: string;
  readonly programs: Program[] = [];

  private constructor(url: string) {
    this.url = url;
  }

  /** @param url - Where they meet instead. */
  static async open(url?: URL): Promise<Cluster> {
    if (url !== undefined) return new Cluster(url.href);
    return new Cluster(urlOf(await freePort()).href);
  }

  get #shared() {
    const { url } = this;
    return { url, secretFile: this.shop.secretFile };
  }

  manager(steps: readonly Step[], options: object, place: Place = {}): Program {
    const stateFolder = this.shop.file('state');
    return this.run('distributed', steps, { ...this.#shared, stateFolder, ...options }, place);
  }

  /** A run by any processor. */
  run(mode: string, steps: readonly Step[], options: object = {}, place: Place = {}): Program {
    const { module } = place;
    const file = this.shop.file('data.db');
    return this.#start('run', { mode, file, steps, options, module }, place);
  }

  worker(options: object = {}, place: Place = {}): Program {
    return this.#start('worker', { ...this.#shared, ...options }, place);
  }

  #start(name: string, setup: object, place: Place): Program {
    const program = new Program(name, setup, place);
    this.programs.push(program);
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.programs) program.kill();
    for (const program of this.programs) await program.end();
    await this.shop[Symbol.asyncDispose]();
  }
}

/** The reports that a run printed at its end. */
export async function reportsOf(program: Program, withinMs?: number): Promise<BuildReport[]> {
  const { reports, error } = await program.end(withinMs);
  if (reports === undefined)
    throw new RangeError(`no reports: ${JSON.stringify(error)} ${program.logged.join('\n')}`);
  return reports as BuildReport[];
}

/** The report that a worker printed at its end. */
export async function workerReportOf(program: Program): Promise<WorkerReport> {
  return (await program.end()) as unknown as WorkerReport;
}
