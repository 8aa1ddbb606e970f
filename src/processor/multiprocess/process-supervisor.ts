// The main module of a worker process; see WorkerProcess.
import type { WorkerMessage } from './worker-handle.js';
import type { SupervisorMessage } from './worker-process.js';
import { WorkerThread } from './worker-thread.js';

/** How often the memory is looked at. */
const MEMORY_MS = 50;

let thread: WorkerThread | undefined;

// A Ctrl-C goes to every process of the terminal; when to end is the parent's to say.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', die);

process.on('message', (message: SupervisorMessage) => {
  if ('frame' in message) {
    // What arrives may lie in memory that it shares.
    thread?.post(new Uint8Array(message.frame));
    return;
  }
  const { memoryMb, ...spec } = message.spec;
  thread = new WorkerThread({ ...spec, memoryMb: null }, tell);
  if (memoryMb !== null) setInterval(() => guardMemory(memoryMb), MEMORY_MS);
});

function tell(message: WorkerMessage): void {
  // The parent is gone; should it live, it hears of the end, not of nothing.
  process.send?.(message, undefined, undefined, (error) => {
    if (error) die();
  });
}

/** Killed, not exited: a thread in a blocking call must not hold it up. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function guardMemory(limitMb: number): void {
  if (process.memoryUsage.rss() < limitMb * 2 ** 20) return;
  thread?.lose('death', `ran out of memory: its limit is ${limitMb} MB`);
}
