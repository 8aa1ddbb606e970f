import path from 'node:path';
import { InvalidOptionError } from '../errors/option-errors.js';
import { assertNonEmptyString } from '../util/assert-option.js';
import { dataFolder } from '../util/user-folders.js';

/** Options of {@link Reporter}. */
export interface ReporterOptions {
  /**
   * The least time between two UPDATE documents of a build, in milliseconds; their items are summed. 0 writes one for
   * each write of the builder, as Python does.
   * @defaultValue `1000`
   */
  readonly updateIntervalMs?: number | undefined;
  /**
   * How often a build says that it is alive, in milliseconds. A build that missed three heartbeats is taken for dead.
   * @defaultValue `10_000`
   */
  readonly heartbeatMs?: number | undefined;
  /**
   * How long `close()` waits for the store, in milliseconds. What was not written by then stays in the spool.
   * @defaultValue `5000`
   */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * The folder for events that cannot be written yet.
   * @defaultValue `reporting` in the folder for data of this user, e.g. `~/.local/share/maggma/reporting`
   */
  readonly spoolFolder?: string | undefined;
}

/** @internal */
export type ResolvedReporterOptions = {
  readonly [K in keyof ReporterOptions]-?: NonNullable<ReporterOptions[K]>;
};

/** What timers can count. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @internal */
export function resolveReporterOptions(options: ReporterOptions): ResolvedReporterOptions {
  const {
    updateIntervalMs = 1000,
    heartbeatMs = 10_000,
    closeTimeoutMs = 5000,
    spoolFolder = defaultSpoolFolder(),
  } = options;
  assertMilliseconds('updateIntervalMs', updateIntervalMs, 0);
  assertMilliseconds('heartbeatMs', heartbeatMs, 1);
  assertMilliseconds('closeTimeoutMs', closeTimeoutMs, 0);
  assertNonEmptyString('spoolFolder', spoolFolder);
  return Object.freeze({ updateIntervalMs, heartbeatMs, closeTimeoutMs, spoolFolder });
}

/** Where events wait, unless told otherwise. */
export function defaultSpoolFolder(): string {
  return path.join(dataFolder(), 'reporting');
}

function assertMilliseconds(option: string, value: unknown, minimum: number): void {
  const isNumber = typeof value === 'number' && value >= minimum && value <= MAX_TIMER_MS;
  if (!isNumber)
    throw new InvalidOptionError(option, `milliseconds from ${minimum} to ${MAX_TIMER_MS}`, value);
}
