import { MaggmaError } from './maggma-error.js';

/** A chunk or plan is not what a manager with our secret made for this place of this run. */
export class SealError extends MaggmaError {
  override get name() {
    return 'SealError' as const;
  }
  override get code() {
    return 'SEAL' as const;
  }

  /** @param place - Which chunk of which stage it was taken for. */
  constructor(place: string, options?: ErrorOptions) {
    super(
      `What came for ${place} cannot be opened: it was changed on its way, belongs elsewhere, or was sealed with another secret`,
      options,
    );
  }
}

/** The secret of a run is missing, cannot be used, or cannot be made. */
export class SecretError extends MaggmaError {
  override get name() {
    return 'SecretError' as const;
  }
  override get code() {
    return 'SECRET' as const;
  }
}

/** A run of a distributed processor was started while another one is under way. */
export class ManagerBusyError extends MaggmaError {
  override get name() {
    return 'ManagerBusyError' as const;
  }
  override get code() {
    return 'MANAGER_BUSY' as const;
  }

  constructor() {
    super('This DistributedProcessor is at work already: await its run, or make a second one');
  }
}

/** For too long there was no worker to do what is left. */
export class NoWorkersError extends MaggmaError {
  override get name() {
    return 'NoWorkersError' as const;
  }
  override get code() {
    return 'NO_WORKERS' as const;
  }

  constructor(address: string, waitedMs: number) {
    super(
      `No worker came to ${address} for ${waitedMs / 1000} s: start some, with the same secret, or allow more time (mrun --worker-timeout, or workerTimeoutMs)`,
    );
  }
}

/** For too long there was no manager to work for. */
export class NoManagerError extends MaggmaError {
  override get name() {
    return 'NoManagerError' as const;
  }
  override get code() {
    return 'NO_MANAGER' as const;
  }

  constructor(address: string, waitedMs: number) {
    super(
      `No manager was at ${address} for ${waitedMs / 1000} s: start it again, or allow more time (mrun --manager-timeout, or managerTimeoutMs)`,
    );
  }
}

/** A worker cannot build what a run is about: it lacks a module, or has another version of it. */
export class UnfitWorkerError extends MaggmaError {
  override get name() {
    return 'UnfitWorkerError' as const;
  }
  override get code() {
    return 'UNFIT_WORKER' as const;
  }
}

/** A chunk is another worker's by now: nothing more is written for it here. */
export class LeaseLostError extends MaggmaError {
  override get name() {
    return 'LeaseLostError' as const;
  }
  override get code() {
    return 'LEASE_LOST' as const;
  }

  constructor() {
    super('The chunk is no longer ours: another worker has it, and nothing more is written here');
  }
}

/** In a chunk nothing moved for too long. */
export class ChunkStalledError extends MaggmaError {
  override get name() {
    return 'ChunkStalledError' as const;
  }
  override get code() {
    return 'CHUNK_STALLED' as const;
  }

  constructor(limitMs: number) {
    super(
      `Nothing was fetched, processed or written for ${limitMs / 1000} s: mend what never ends, give the builder a time limit for its items, or allow more time (mrun --chunk-timeout, or chunkTimeoutMs)`,
    );
  }
}

/** Manager and worker do not have the same secret. */
export class DistributedAuthError extends MaggmaError {
  override get name() {
    return 'DistributedAuthError' as const;
  }
  override get code() {
    return 'DISTRIBUTED_AUTH' as const;
  }

  constructor(address: string, options?: ErrorOptions) {
    super(
      `Whoever listens at ${address} is no manager with our secret: give the manager and its workers the same secret file, and check host and port`,
      options,
    );
  }
}

/** An address cannot be listened at, or leads nowhere. */
export class DistributedAddressError extends MaggmaError {
  override get name() {
    return 'DistributedAddressError' as const;
  }
  override get code() {
    return 'DISTRIBUTED_ADDRESS' as const;
  }
}

/** Manager and worker do not speak the same version of the protocol. */
export class DistributedProtocolError extends MaggmaError {
  override get name() {
    return 'DistributedProtocolError' as const;
  }
  override get code() {
    return 'DISTRIBUTED_PROTOCOL' as const;
  }

  constructor(address: string, own: number, other: number) {
    super(
      `The manager at ${address} speaks version ${other} of the protocol, this worker version ${own}: install the same version of maggma on both`,
    );
  }
}

/** Another manager is at work on the same run. */
export class RunLockedError extends MaggmaError {
  override get name() {
    return 'RunLockedError' as const;
  }
  override get code() {
    return 'RUN_LOCKED' as const;
  }

  /** @param problem - Who holds the lock. */
  constructor(run: string, problem: string) {
    super(`The run of ${run} has a manager already: ${problem}`);
  }
}

/** What is remembered of a run cannot be read, written or trusted. */
export class RunStateError extends MaggmaError {
  override get name() {
    return 'RunStateError' as const;
  }
  override get code() {
    return 'RUN_STATE' as const;
  }
}

/** The description of a chunk, or of what all chunks share, is too large to be handed out. */
export class ChunkSizeError extends MaggmaError {
  override get name() {
    return 'ChunkSizeError' as const;
  }
  override get code() {
    return 'CHUNK_SIZE' as const;
  }

  constructor(what: string, bytes: number, limit: number) {
    super(
      `${what} has ${bytes} bytes, expected ${limit} at most: let prechunk describe a chunk by what selects it (a range, a query), or cut more chunks`,
    );
  }
}

/** A Redis cannot be used: it does not let us in, is too old, or does not keep what it is told. */
export class BrokerError extends MaggmaError {
  override get name() {
    return 'BrokerError' as const;
  }
  override get code() {
    return 'BROKER' as const;
  }

  /** @param problem - What is wrong with it, and how to mend that. */
  constructor(address: string, problem: string) {
    super(`The Redis at ${address} ${problem}`);
  }
}
