import type { PortableError } from '../../../errors/error-transfer.js';
import type { ChunkProgress, ChunkResult } from '../engine.js';

/** Of the protocol. */
export const PROTOCOL = 1;

type Check<T> = (value: unknown) => value is T;
type Fields = Readonly<Record<string, Check<unknown>>>;
type MessageOf<Shapes extends Readonly<Record<string, Fields>>> = {
  [Type in keyof Shapes]: { readonly type: Type } & {
    readonly [Name in keyof Shapes[Type]]: Shapes[Type][Name] extends Check<infer T> ? T : never;
  };
}[keyof Shapes];

const text: Check<string> = (value): value is string => typeof value === 'string';
const flag: Check<boolean> = (value): value is boolean => typeof value === 'boolean';
const count: Check<number> = (value): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const texts: Check<readonly string[]> = (value): value is string[] =>
  Array.isArray(value) && value.every(text);
const level: Check<'warning' | 'error' | 'fatal'> = (value): value is 'warning' =>
  value === 'warning' || value === 'error' || value === 'fatal';

const object = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;

const error: Check<PortableError> = (value): value is PortableError =>
  text(object(value)?.['name']) && text(object(value)?.['message']);

const RESULT = ['processed', 'succeeded', 'failed', 'skipped', 'invalid', 'errors', 'warnings'];
const result: Check<ChunkResult> = (value): value is ChunkResult =>
  RESULT.every((name) => count(object(value)?.[name])) &&
  Array.isArray(object(value)?.['failures']);

const progress: Check<ChunkProgress> = (value): value is ChunkProgress => {
  const { fetched, processed, written, failed, total, failures } = object(value) ?? {};
  const counts = [fetched, processed, written, failed];
  return counts.every(count) && (total === null || count(total)) && Array.isArray(failures);
};

/** Names a lease. */
const LEASE = { stage: count, index: count, token: text };

/** What a worker says. */
const FROM_WORKER = {
  /** Always the first message of a connection. */
  HELLO: { v: count, worker: text, version: text, slots: count },
  /** So many chunks are waited for, while these leases are held. */
  PULL: { held: texts, wanted: count },
  /** The heartbeat: these leases are held. */
  HB: { n: count, held: texts, wanted: count },
  DONE: { ...LEASE, result },
  FAIL: { ...LEASE, error, fatal: flag },
  /** Handed back, or not asked for. */
  NACK: LEASE,
  PROGRESS: { ...LEASE, progress },
  UPDATING: { ...LEASE, items: count },
  LOG: { logger: text, level, message: text },
  /** Always the last message: nothing is held any more. */
  BYE: {},
} as const satisfies Record<string, Fields>;

/** What a manager says. */
const FROM_MANAGER = {
  WELCOME: { run: text, leaseMs: count },
  /** The manager speaks another version of the protocol. */
  REFUSED: { v: count },
  /** What the chunks of a stage share; comes before the first of them. */
  STAGE: { stage: count, header: text },
  CHUNK: { ...LEASE, attempt: count, sealed: text },
  /** The heartbeat of that number was heard; of the leases that it named, these are not the worker's. */
  HBOK: { n: count, lost: texts },
  LOST: { token: text },
  /** DONE, FAIL or NACK is recorded. */
  OK: { token: text },
  /** The run is over. */
  EXIT: {},
} as const satisfies Record<string, Fields>;

export type WorkerMessage = MessageOf<typeof FROM_WORKER>;
export type ManagerMessage = MessageOf<typeof FROM_MANAGER>;
/** Messages of workers, by their types. */
export type FromWorker<Type extends WorkerMessage['type']> = Extract<WorkerMessage, { type: Type }>;

/** @returns undefined for what no worker says. */
export const workerMessage = (value: unknown): WorkerMessage | undefined =>
  check(value, FROM_WORKER) ? (value as WorkerMessage) : undefined;

/** @returns undefined for what no manager says. */
export const managerMessage = (value: unknown): ManagerMessage | undefined =>
  check(value, FROM_MANAGER) ? (value as ManagerMessage) : undefined;

function check(value: unknown, shapes: Readonly<Record<string, Fields>>): boolean {
  const message = object(value);
  const type = message?.['type'];
  if (message === null || !text(type) || !Object.hasOwn(shapes, type)) return false;
  return Object.entries(shapes[type] as Fields).every(([name, is]) => is(message[name]));
}
