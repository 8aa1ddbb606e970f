import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runnable } from '../../util/own-files.js';
import { settledWithin } from '../../util/turn.js';
import type { WorkerHandle, WorkerListener, WorkerMessage, WorkerSpec } from './worker-handle.js';

/** How long the system may take to end a process that it was told to kill. */
const END_MS = 2000;

const SUPERVISOR = fileURLToPath(runnable('processor/multiprocess/process-supervisor'));

/** What goes to a supervisor: first what to start, then jobs. */
export type SupervisorMessage =
  | { readonly spec: WorkerSpec }
  | { readonly frame: Uint8Array<ArrayBuffer> };

/**
 * A worker in a process of its own. The system can always kill it, and a crash of native code stays there.
 *
 * The process is a supervisor with one thread for user code, so that a busy loop cannot keep it from noticing that its
 * time is over, or that its parent died.
 */
export class WorkerProcess implements WorkerHandle {
  readonly #child: ChildProcess;
  readonly #tell: WorkerListener;
  #isLost = false;

  constructor(spec: WorkerSpec, listener: WorkerListener) {
    this.#tell = listener;
    // Options of this process's own (--inspect, the hooks of tsx) are not for workers.
    this.#child = fork(SUPERVISOR, [], { serialization: 'advanced', execArgv: [], silent: true });
    passOn(this.#child.stdout, process.stdout);
    passOn(this.#child.stderr, process.stderr);
    this.#child.on('message', (message) => this.#hear(message as WorkerMessage));
    this.#child.on('error', (error) => this.#lose(`cannot be reached: ${error.message}`));
    this.#child.on('exit', (code, signal) =>
      this.#lose(signal === null ? `exited with code ${code}` : `was killed by ${signal}`),
    );
    this.#send({ spec });
  }

  post(frame: Uint8Array<ArrayBuffer>): void {
    this.#send({ frame });
  }

  async end(): Promise<void> {
    this.#isLost = true;
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.#child, 'exit').catch(() => undefined);
    this.#child.kill('SIGKILL');
    await settledWithin(exit, END_MS);
  }

  #send(message: SupervisorMessage): void {
    // A failure means that the process is gone, which its exit tells.
    this.#child.send(message, () => undefined);
  }

  #hear(message: WorkerMessage): void {
    if (this.#isLost) return;
    this.#tell(message);
    if (message.kind === 'lost') void this.end();
  }

  #lose(problem: string): void {
    // Which step killed the process died with it.
    this.#hear({ kind: 'lost', loss: { reason: 'death', step: null, elapsedMs: 0, problem } });
  }
}

/** What user code prints appears where that of a thread would. */
function passOn(from: NodeJS.ReadableStream | null, to: NodeJS.WritableStream): void {
  from?.on('data', (chunk: Buffer) => to.write(chunk));
}
