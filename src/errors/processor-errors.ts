import { MaggmaError } from './maggma-error.js';

/** A worker cannot be started, so that nothing can be processed. */
export class WorkerStartError extends MaggmaError {
  override get name() {
    return 'WorkerStartError' as const;
  }
  override get code() {
    return 'WORKER_START' as const;
  }

  constructor(problem: string, options?: { readonly cause: unknown }) {
    super(`A worker cannot be started: ${problem}`, options);
  }
}

/** A worker died while it was at work on an item. */
export class WorkerLostError extends MaggmaError {
  override get name() {
    return 'WorkerLostError' as const;
  }
  override get code() {
    return 'WORKER_LOST' as const;
  }

  /** @param problem - How it died, in a few words. */
  constructor(problem: string) {
    super(`the worker ${problem}`);
  }
}

/** A worker was asked to run builders, or to start workers of its own. */
export class NestedRunError extends MaggmaError {
  override get name() {
    return 'NestedRunError' as const;
  }
  override get code() {
    return 'NESTED_RUN' as const;
  }

  constructor(builder: string) {
    super(
      `${builder} was run inside a worker: a script that defines a builder and also runs it must ask ` +
        '`if (isMain(import.meta.url))` first, because workers import it for the class',
    );
  }
}
