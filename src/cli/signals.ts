import type { StopSignal } from './exit-code.js';

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];
// `npx` passes on what the terminal has already sent to all of its processes: the same key press, seen twice.
const ECHO_MS = 200;

/** What to do when the user wants the run to end. */
export interface SignalActions {
  /** The first signal: end cleanly. */
  stop(signal: StopSignal): void;
  /** The second one: end at once. */
  abort(signal: StopSignal): void;
}

/** Watches for signals until it is disposed of. */
export interface SignalWatch {
  /** The first signal that came. */
  readonly received: StopSignal | undefined;
  dispose(): void;
}

/** Takes over what Ctrl-C and `kill` do. Without it they end the process on the spot. */
export function watchSignals(actions: SignalActions): SignalWatch {
  let received: StopSignal | undefined;
  let receivedAt = 0;
  let aborted = false;

  const onSignal = (signal: StopSignal) => {
    if (received === undefined) {
      received = signal;
      receivedAt = performance.now();
      actions.stop(signal);
    } else if (!aborted && performance.now() - receivedAt >= ECHO_MS) {
      aborted = true;
      actions.abort(received);
    }
  };

  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    get received() {
      return received;
    },
    dispose() {
      // The process is about to end; an echo that comes late must not change its exit code.
      if (received !== undefined) return;
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

/**
 * Does something before Ctrl-Z suspends the process.
 *
 * @returns Undoes it.
 */
export function beforeSuspension(action: () => void): () => void {
  const onSuspend = () => {
    action();
    // The signal itself has been taken by this handler.
    process.kill(process.pid, 'SIGSTOP');
  };
  process.on('SIGTSTP', onSuspend);
  return () => {
    process.off('SIGTSTP', onSuspend);
  };
}
