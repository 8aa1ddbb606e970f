import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = path.join(ROOT, 'test/fixtures/cli');
const MRUN = path.join(ROOT, 'dist/cli/mrun.js');
/** Everything that waits gives up after this long. */
const DEADLINE_MS = 100_000;

/** A dump of a MemoryStore. */
export const MEMORY = {
  '@module': 'maggma.stores.mongolike',
  '@class': 'MemoryStore',
  '@version': null,
};

/** A user's project in a temporary folder: the package is installed, the fixtures lie in it. */
export class Project {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'mrun-test-')));

  readonly #processes: Running[] = [];

  constructor() {
    const modules = path.join(this.folder, 'node_modules');
    mkdirSync(modules);
    symlinkSync(ROOT, path.join(modules, 'maggma'), 'dir');
    symlinkSync(path.join(ROOT, 'node_modules/tsx'), path.join(modules, 'tsx'), 'dir');
    for (const file of ['counting-builder.mjs', 'obeying-builder.mjs', 'typed-builder.ts'])
      cpSync(path.join(FIXTURES, file), path.join(this.folder, file));
  }

  /** Writes a file; what is not text becomes JSON. Returns its name. */
  write(name: string, content: unknown): string {
    const data =
      typeof content === 'string' || content instanceof Uint8Array
        ? content
        : JSON.stringify(content);
    writeFileSync(path.join(this.folder, name), data);
    return name;
  }

  exists(name: string): boolean {
    return existsSync(path.join(this.folder, name));
  }

  /** The documents of a JSON file. */
  read(name: string): Record<string, unknown>[] {
    return JSON.parse(readFileSync(path.join(this.folder, name), 'utf8'));
  }

  /** How many documents a JSON file holds. */
  count(name: string): number {
    return this.read(name).length;
  }

  /** The ids of all processes that run here, also of those whose parent is gone. */
  processes(): string[] {
    return readdirSync('/proc').filter((name) => {
      try {
        return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`) === this.folder;
      } catch {
        // It has ended, or it belongs to somebody else.
        return false;
      }
    });
  }

  /** Starts `mrun` here. */
  start(...args: string[]): Running {
    return this.#spawn(process.execPath, [MRUN, ...args]);
  }

  /** Runs `mrun` here to its end. */
  run(...args: string[]): Promise<Finished> {
    return this.start(...args).finished;
  }

  /** Starts a command line of the shell here; `$mrun` is the command. */
  shell(line: string): Running {
    return this.#spawn('sh', ['-c', line], { mrun: `${process.execPath} ${MRUN}` });
  }

  /** Starts `mrun` here in a pseudo-terminal. */
  startInTerminal(columns: number, rows: number, args: string[], env = {}): Running {
    const runner = [path.join(FIXTURES, 'pty-run.py'), String(columns), String(rows)];
    const command = [...runner, process.execPath, MRUN, ...args];
    return this.#spawn('python3', command, { TERM: 'xterm-256color', ...env });
  }

  /** Ends what still runs, and removes the folder. */
  async remove(): Promise<void> {
    for (const running of this.#processes) running.kill('SIGKILL');
    await Promise.allSettled(this.#processes.map(({ finished }) => finished));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(command: string, args: readonly string[], env = {}): Running {
    const child = spawn(command, args, {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], HOME: this.folder, ...env },
      stdio: 'pipe',
    });
    const running = new Running(child);
    this.#processes.push(running);
    return running;
  }
}

/** A test with a project of its own. */
export const test = base.extend<{ project: Project }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  project: async ({}, use) => {
    const project = new Project();
    await use(project);
    await project.remove();
  },
});

/** What came of a process. */
export interface Finished {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that is running. */
export class Running {
  stdout = '';
  stderr = '';
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcess;
  #onOutput = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput();
    });
    this.finished = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    this.finished.finally(() => clearTimeout(deadline)).catch(() => {});
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Types into the pseudo-terminal. */
  type(text: string): void {
    this.#child.stdin?.write(`${JSON.stringify(['type', text])}\n`);
  }

  /** Continues a process that was suspended in the pseudo-terminal. */
  continue(): void {
    this.#child.stdin?.write('["continue"]\n');
  }

  /** Changes the size of the pseudo-terminal. */
  resize(columns: number, rows: number): void {
    this.#child.stdin?.write(`${JSON.stringify(['size', columns, rows])}\n`);
  }

  /** Waits until the output so far satisfies a condition. */
  until(what: string, isTrue: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (isTrue()) resolve();
      };
      this.#onOutput = check;
      const seen = () => `waited for ${what}; stdout: ${this.stdout} stderr: ${this.stderr}`;
      this.finished.then(() => reject(new Error(`The process ended, ${seen()}`)), reject);
      check();
    });
  }
}

/** The file of a store for what `-r` reports, and what was written there. */
export function reportStore(project: Project): {
  store: string;
  read: () => Record<string, unknown>[];
} {
  const store = project.write('r.json', {
    '@module': 'maggma.stores.mongolike',
    '@class': 'JSONStore',
    '@version': null,
    ...{ paths: 'builds.json', key: '_id', read_only: false },
  });
  return { store, read: () => project.read('builds.json') };
}

/** A dump of a CountingBuilder that writes the file `target.json`, unless told otherwise. */
export function countingBuilder(options: object = {}, target = 'target.json'): object {
  return {
    '@module': './counting-builder.mjs',
    '@class': 'CountingBuilder',
    '@version': null,
    source: MEMORY,
    target: {
      '@module': 'maggma.stores.mongolike',
      '@class': 'JSONStore',
      '@version': null,
      paths: target,
      read_only: false,
    },
    ...options,
  };
}
