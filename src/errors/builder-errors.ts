import { MaggmaError } from './maggma-error.js';
import { showValue } from './show-value.js';

/** A builder was started while it was running. */
export class BuilderBusyError extends MaggmaError {
  override get name() {
    return 'BuilderBusyError' as const;
  }
  override get code() {
    return 'BUILDER_BUSY' as const;
  }

  constructor(builder: string) {
    super(`${builder} is already running: await the run, or make a second builder`);
  }
}

/** A builder does not do what its contract asks: no `getItems`, a result that is not a document, … */
export class InvalidBuilderError extends MaggmaError {
  override get name() {
    return 'InvalidBuilderError' as const;
  }
  override get code() {
    return 'INVALID_BUILDER' as const;
  }

  readonly builder: string;

  constructor(builder: string, problem: string) {
    super(`${builder} ${problem}`);
    this.builder = builder;
  }
}

/** An item took longer than its builder allows. */
export class ItemTimeoutError extends MaggmaError {
  override get name() {
    return 'ItemTimeoutError' as const;
  }
  override get code() {
    return 'ITEM_TIMEOUT' as const;
  }

  /** The limit, in milliseconds. */
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`timeout after ${timeoutMs / 1000} s`);
    this.timeoutMs = timeoutMs;
  }
}

/** More items failed than the processor was told to bear. */
export class TooManyFailuresError extends MaggmaError {
  override get name() {
    return 'TooManyFailuresError' as const;
  }
  override get code() {
    return 'TOO_MANY_FAILURES' as const;
  }

  constructor(maxFailures: number, key: unknown, problem: string) {
    const limit = maxFailures === 0 ? 'an item failed' : `more than ${maxFailures} items failed`;
    super(`${limit}; the last one was ${showValue(key)}: ${problem}`);
  }
}

/** Keys occur more than once in a source, and the builder was told that they must not. Nothing was built. */
export class DuplicateKeysError extends MaggmaError {
  override get name() {
    return 'DuplicateKeysError' as const;
  }
  override get code() {
    return 'DUPLICATE_KEYS' as const;
  }

  constructor(source: string, count: number, example: unknown) {
    super(
      `${count} keys occur more than once in ${source} (such as ${showValue(example)}): remove all but one of each, or let the newest count with \`duplicates: 'newest'\``,
    );
  }
}

/** Orphans of a target, and why they were left. */
export interface RefusedOrphans {
  readonly source: string;
  readonly target: string;
  readonly isSourceEmpty: boolean;
  /** How many documents would have gone. */
  readonly orphans: number;
  /** Of how many. */
  readonly total: number;
  /** The share that may go, from 0 to 1. */
  readonly maxOrphanShare: number;
  /** Some of their keys. */
  readonly examples: readonly unknown[];
}

/** Deleting orphans was refused, because there are suspiciously many. Nothing was deleted. */
export class OrphanGuardError extends MaggmaError {
  override get name() {
    return 'OrphanGuardError' as const;
  }
  override get code() {
    return 'ORPHAN_GUARD' as const;
  }

  /** What would have gone. */
  readonly refused: RefusedOrphans;

  constructor(refused: RefusedOrphans) {
    const { source, target, isSourceEmpty, orphans, total, maxOrphanShare, examples } = refused;
    const why = isSourceEmpty
      ? `the source ${source} is empty`
      : `at most ${maxOrphanShare * 100} % may go (maxOrphanShare)`;
    super(
      `Orphans were not deleted from ${target}: ${orphans} of ${total} documents would go ` +
        `(such as ${examples.map((key) => showValue(key)).join(', ')}), and ${why}. ` +
        'Check the name of the source; if it really lost them, set maxOrphanShare to 1',
    );
    this.refused = refused;
  }
}
