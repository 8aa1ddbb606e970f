import { MaggmaError } from './maggma-error.js';
import { showValue } from './show-value.js';

/** A store was used before `connect()`, or after `close()`. */
export class StoreNotConnectedError extends MaggmaError {
  override get name() {
    return 'StoreNotConnectedError' as const;
  }
  override get code() {
    return 'STORE_NOT_CONNECTED' as const;
  }

  readonly store: string;
  readonly operation: string;

  constructor(store: string, operation: string) {
    super(`Cannot ${operation} on ${store}: it is not connected, call connect() first`);
    this.store = store;
    this.operation = operation;
  }
}

/** A store's backend could not be opened: the server does not answer, the file cannot be read. */
export class StoreConnectionError extends MaggmaError {
  override get name() {
    return 'StoreConnectionError' as const;
  }
  override get code() {
    return 'STORE_CONNECTION' as const;
  }

  readonly store: string;

  constructor(store: string, problem: string, options?: ErrorOptions) {
    super(`Cannot connect ${store}: ${problem}`, options);
    this.store = store;
  }
}

/** The backend failed during an operation; `cause` holds its own error. */
export class StoreOperationError extends MaggmaError {
  override get name() {
    return 'StoreOperationError' as const;
  }
  override get code() {
    return 'STORE_OPERATION' as const;
  }

  readonly store: string;
  readonly operation: string;

  constructor(store: string, operation: string, problem: string, options?: ErrorOptions) {
    super(`Cannot ${operation} on ${store}: ${problem}`, options);
    this.store = store;
    this.operation = operation;
  }
}

/** A store was asked for something that its backend cannot do. */
export class UnsupportedOperationError extends MaggmaError {
  override get name() {
    return 'UnsupportedOperationError' as const;
  }
  override get code() {
    return 'UNSUPPORTED_OPERATION' as const;
  }

  readonly store: string;
  readonly operation: string;

  constructor(store: string, operation: string, advice?: string) {
    super(`${store} cannot ${operation}${advice === undefined ? '' : `: ${advice}`}`);
    this.store = store;
    this.operation = operation;
  }
}

/** A read-only store was asked to change its documents; nothing was changed. */
export class ReadOnlyStoreError extends MaggmaError {
  override get name() {
    return 'ReadOnlyStoreError' as const;
  }
  override get code() {
    return 'READ_ONLY_STORE' as const;
  }

  readonly store: string;
  readonly operation: string;

  constructor(store: string, operation: string) {
    super(
      `Cannot ${operation} on ${store}: it is read-only (a JSONStore can be written with \`readOnly: false\`)`,
    );
    this.store = store;
    this.operation = operation;
  }
}

/** Somebody else changed what a store had read; nothing was written. */
export class StoreConflictError extends MaggmaError {
  override get name() {
    return 'StoreConflictError' as const;
  }
  override get code() {
    return 'STORE_CONFLICT' as const;
  }

  readonly store: string;

  constructor(store: string, problem: string) {
    super(`Nothing was written to ${store}: ${problem}`);
    this.store = store;
  }
}

/** A document cannot be stored: no key, not an object, or a value that BSON does not have. */
export class InvalidDocumentError extends MaggmaError {
  override get name() {
    return 'InvalidDocumentError' as const;
  }
  override get code() {
    return 'INVALID_DOCUMENT' as const;
  }

  /** Where in the document the problem is, e.g. `$.a[0].b`. */
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`Bad document at ${path}: ${problem}`);
    this.path = path;
  }
}

/** A strict validator refused a document; nothing of that call was stored. */
export class ValidationError extends MaggmaError {
  override get name() {
    return 'ValidationError' as const;
  }
  override get code() {
    return 'VALIDATION' as const;
  }

  readonly store: string;
  /** Key of the first refused document. */
  readonly key: unknown;
  /** What the validator said of it. */
  readonly problems: readonly string[];

  constructor(store: string, key: unknown, problems: readonly string[]) {
    super(
      `The validator of ${store} refuses the document with key ${showValue(key)}: ${problems.join('; ')}`,
    );
    this.store = store;
    this.key = key;
    this.problems = problems;
  }
}

/** A cursor was read a second time; ask the store for a new one. */
export class CursorUsedError extends MaggmaError {
  override get name() {
    return 'CursorUsedError' as const;
  }
  override get code() {
    return 'CURSOR_USED' as const;
  }

  constructor(store: string) {
    super(`A cursor of ${store} can be read only once: call query() again for a new one`);
  }
}
