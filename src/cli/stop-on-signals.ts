import type { ExitCode } from './exit-code.js';
import { exitCodeOfSignal } from './exit-code.js';
import type { Notes } from './notes.js';
import type { SignalWatch } from './signals.js';
import { watchSignals } from './signals.js';

/** How long a run may take to end after it was told to end at once. */
const ABORT_MS = 1000;

/** Ends the process. */
export type Exit = (code: ExitCode) => void;

/** What is stopped, and how. */
export interface Stoppable {
  /** Ends it cleanly. */
  stop(): void;
  /** Ends it at once. */
  readonly controller: AbortController;
  /** What happens after {@link stop}, in a few words. */
  readonly stopping: string;
  readonly notes: Notes;
  /** Called when it does not end by itself although it was told to. */
  readonly exit: Exit;
}

/** Has the first signal stop a run cleanly, and the second one at once. */
export function stopOnSignals({
  stop,
  controller,
  stopping,
  notes: { note },
  exit,
}: Stoppable): SignalWatch {
  let deadline: NodeJS.Timeout | undefined;
  const watch = watchSignals({
    stop(signal) {
      const again = signal === 'SIGINT' ? 'press Ctrl-C again' : 'send SIGTERM again';
      note(`Stopping: ${stopping} (${again} to stop at once)\n`);
      stop();
    },
    abort(signal) {
      note('Stopping at once\n');
      controller.abort();
      deadline = setTimeout(() => exit(exitCodeOfSignal(signal)), ABORT_MS);
    },
  });
  return {
    get received() {
      return watch.received;
    },
    dispose() {
      clearTimeout(deadline);
      watch.dispose();
    },
  };
}
