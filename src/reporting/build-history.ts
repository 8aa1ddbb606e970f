import type { BuildStatus } from '../builder/build-report.js';
import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import type { Store } from '../store/store.js';
import { assertNonNegativeInteger } from '../util/assert-option.js';
import { toInstant } from '../util/instant.js';
import { hasEnded } from '../util/process-mark.js';

/** Options of {@link readBuilds}. */
export interface ReadBuildsOptions {
  /**
   * How many builds to read at most, the newest; 0 for all.
   * @defaultValue `20`
   */
  readonly limit?: number | undefined;
}

/**
 * How a build is: `running` and `dead` as its heartbeat says, `ended` by its own word, `unknown` when nothing tells
 * whether it still runs, because Python wrote of it.
 */
export type BuildState = 'running' | 'dead' | 'ended' | 'unknown';

/** One build, as a reporting store tells of it. What Python does not write is null in its builds. */
export interface RecordedBuild {
  readonly buildId: string;
  /** Class name of the builder. */
  readonly builder: string;
  /** The anonymous name of the machine on which it ran. */
  readonly machine: string | null;
  /** Names of the source stores. */
  readonly sources: readonly string[];
  /** Names of the target stores. */
  readonly targets: readonly string[];
  readonly state: BuildState;
  /** How it ended. */
  readonly status: BuildStatus | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  /** When something was last heard of it. */
  readonly seenAt: Date;
  /** From its start until it ended or was last heard of. */
  readonly durationMs: number;
  /** How many items there were to build. */
  readonly total: number | null;
  /** How many are settled. */
  readonly processed: number;
  readonly succeeded: number | null;
  readonly failed: number | null;
  readonly skipped: number | null;
  readonly invalid: number | null;
  readonly errors: number | null;
  readonly warnings: number | null;
  readonly itemsPerSecond: number | null;
  /** How long a running build still needs at this rate. */
  readonly remainingMs: number | null;
  /** What ended a failed build. */
  readonly error: {
    readonly name: string;
    readonly message: string;
    readonly code?: string;
  } | null;
}

const BATCH_SIZE = 200;
/** After so many heartbeats that did not come a build is dead. */
const MISSED_HEARTBEATS = 3;

/** What UPDATE documents say of a build. */
interface Updates {
  items: number;
  last: number;
}

/**
 * Reads builds from a reporting store, the newest first, also those that Python wrote.
 *
 * Builds are read as the caller takes them. The store must be connected; where it lets itself be indexed, this makes the
 * indexes that it needs.
 *
 * @param store - Where a {@link Reporter}, or Python's `mrun -r`, writes.
 *
 * @example
 * ```ts
 * for await (const { builder, state, processed, total } of readBuilds(store))
 *   console.log(`${builder} ${state}: ${processed} of ${total}`);
 * ```
 */
export async function* readBuilds(
  store: Store,
  options: ReadBuildsOptions = {},
): AsyncGenerator<RecordedBuild, void, undefined> {
  const { limit = 20 } = options;
  assertNonNegativeInteger('limit', limit);
  await store.ensureIndex(['event', 'last_updated']);
  // Some stores sort by the first field of an index alone.
  await store.ensureIndex('last_updated');
  await store.ensureIndex('build_id');
  const started = store.query({ event: 'BUILD_STARTED' }, { sort: { last_updated: -1 }, limit });
  for await (const batch of started.batches(BATCH_SIZE)) {
    // Before their ends are read: what ends in between has an end.
    const gone = new Set(batch.filter(isGone).map(idOf));
    const ends = await endsOf(store, batch);
    const open = batch.filter((doc) => typeof ends.get(idOf(doc))?.['processed'] !== 'number');
    const updates = await updatesOf(store, open);
    for (const doc of batch) {
      const id = idOf(doc);
      yield describe(doc, ends.get(id), updates.get(id), gone.has(id));
    }
  }
}

async function endsOf(store: Store, started: readonly Doc[]): Promise<Map<string, Doc>> {
  const ends = new Map<string, Doc>();
  for await (const doc of store.query(belongingTo(started, 'BUILD_ENDED')))
    ends.set(idOf(doc), doc);
  return ends;
}

async function updatesOf(store: Store, started: readonly Doc[]): Promise<Map<string, Updates>> {
  const updates = new Map<string, Updates>();
  if (started.length === 0) return updates;
  const properties = ['build_id', 'items', 'last_updated'];
  for await (const batch of store.query(belongingTo(started, 'UPDATE'), { properties }).batches())
    for (const doc of batch) {
      const known = updates.get(idOf(doc)) ?? { items: 0, last: 0 };
      known.items += numberIn(doc, 'items') ?? 0;
      known.last = Math.max(known.last, toInstant(doc['last_updated']) ?? 0);
      updates.set(idOf(doc), known);
    }
  return updates;
}

const belongingTo = (started: readonly Doc[], event: string): Criteria => ({
  build_id: { $in: started.map((doc) => doc['build_id']) },
  event,
});

function describe(
  started: Doc,
  ended: Doc | undefined,
  updates: Updates | undefined,
  gone: boolean,
): RecordedBuild {
  const startedAt = toInstant(started['last_updated']) ?? 0;
  const endedAt = ended && (toInstant(ended['last_updated']) ?? startedAt);
  const heartbeat = toInstant(started['heartbeat']) ?? startedAt;
  const seenAt = endedAt ?? Math.max(heartbeat, updates?.last ?? 0);
  const state = ended === undefined ? stateOf(started, seenAt, gone) : 'ended';
  const counts = ended ?? started;
  const total = numberIn(started, 'total');
  // The sum is newer than the last heartbeat; of an ended build there is a count, but in Python's.
  const processed = Math.max(numberIn(counts, 'processed') ?? 0, updates?.items ?? 0);
  const durationMs = numberIn(counts, 'duration_ms') ?? seenAt - startedAt;
  const rate = durationMs > 0 ? (processed * 1000) / durationMs : null;
  const isRunning = state === 'running' && total !== null && rate !== null && rate > 0;
  return {
    buildId: idOf(started),
    builder: String(started['builder']),
    machine: textIn(started, 'machine'),
    sources: textsIn(started, 'sources'),
    targets: textsIn(started, 'targets'),
    state,
    status: ended === undefined ? null : (textIn(ended, 'status') as BuildStatus | null),
    startedAt: new Date(startedAt),
    endedAt: endedAt === undefined ? null : new Date(endedAt),
    seenAt: new Date(seenAt),
    durationMs,
    total,
    processed,
    succeeded: numberIn(counts, 'succeeded'),
    failed: numberIn(counts, 'failed'),
    skipped: numberIn(counts, 'skipped'),
    invalid: numberIn(counts, 'invalid'),
    errors: numberIn(counts, 'errors'),
    warnings: numberIn(counts, 'warnings'),
    itemsPerSecond: rate,
    remainingMs: isRunning ? (Math.max(0, total - processed) * 1000) / rate : null,
    error: ended?.['error'] ?? null,
  };
}

function stateOf(started: Doc, seenAt: number, gone: boolean): BuildState {
  const heartbeatMs = numberIn(started, 'heartbeat_ms');
  if (heartbeatMs === null) return 'unknown';
  return gone || Date.now() - seenAt > MISSED_HEARTBEATS * heartbeatMs ? 'dead' : 'running';
}

/** Whether the process of a build can be looked for here, and is not there. */
function isGone(started: Doc): boolean {
  const pid = numberIn(started, 'pid');
  const pidScope = textIn(started, 'pid_scope');
  return pid !== null && pidScope !== null && hasEnded({ pid, pidScope });
}

const idOf = (doc: Doc): string => String(doc['build_id']);

function numberIn(doc: Doc, field: string): number | null {
  const value: unknown = doc[field];
  return typeof value === 'number' ? value : null;
}

function textIn(doc: Doc, field: string): string | null {
  const value: unknown = doc[field];
  return typeof value === 'string' ? value : null;
}

function textsIn(doc: Doc, field: string): string[] {
  const value: unknown = doc[field];
  return Array.isArray(value) ? value.map(String) : [];
}
