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

/** Deleting orphans was refused, because it would have emptied the target. Nothing was deleted. */
export class OrphanGuardError extends MaggmaError {
  override get name() {
    return 'OrphanGuardError' as const;
  }
  override get code() {
    return 'ORPHAN_GUARD' as const;
  }

  constructor(source: string, target: string) {
    super(
      `Orphans were not deleted from ${target}: the source ${source} is empty, so every document would go. ` +
        'Check the name of the source; if it really is meant to be empty, remove the documents yourself',
    );
  }
}
