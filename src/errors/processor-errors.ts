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

/** Who has a target, as it is told to others. */
export interface TargetOwner {
  /** What it is: class names of processor and builder. */
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  /** When it began, as ISO 8601. */
  readonly since: string;
}

/** Another build writes into the same target. Nothing was built. */
export class TargetBusyError extends MaggmaError {
  override get name() {
    return 'TargetBusyError' as const;
  }
  override get code() {
    return 'TARGET_BUSY' as const;
  }

  readonly target: string;
  readonly holder: TargetOwner;

  constructor(target: string, { owner, host, pid, since }: TargetOwner) {
    const age = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 1000));
    super(
      `${target} is being built by ${owner}, process ${pid} on ${host}, for ${age} s: wait until it is done; if that process is gone for good, take the target over (mrun --steal, or targetLease: 'steal')`,
    );
    this.target = target;
    this.holder = { owner, host, pid, since };
  }
}
