import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { ChunkSizeError } from '../../../errors/distributed-errors.js';
import type { ManagerOptions, RetryPolicy, RunDescription, StagePlan } from '../engine.js';
import { secretMark } from '../keys.js';
import { Journal } from './journal.js';
import type { LeaseRecord } from './lease-record.js';
import { MAX_FRAME } from './message-frame.js';
import type { RunEntry } from './run-history.js';
import { JOURNAL_VERSION } from './run-history.js';

/** What is around a chunk in its message. */
const ENVELOPE_BYTES = 1024;
/** So many lines of a plan are written at once. */
const PLAN_LINES = 1000;

/** A stage that another manager planned. */
export interface PlannedStage {
  readonly plan: StagePlan & { readonly policy: RetryPolicy };
  readonly records: readonly LeaseRecord[];
}

/** The journal of a run, and what it is for the run. */
export class RunJournal {
  readonly run: string;
  /** What is to be known of the stages that are finished. */
  readonly notes: string[];
  readonly #journal: Journal;
  readonly #mark: string;

  private constructor(journal: Journal, { run, notes, mark }: RunEntry) {
    this.#journal = journal;
    this.run = run;
    this.notes = [...notes];
    this.#mark = mark;
  }

  /**
   * Takes over the journal of a run, or begins one.
   *
   * @throws {@link RunLockedError} when another manager has it.
   * @throws {@link RunStateError} when it cannot be read.
   */
  static open(
    { name, digest }: RunDescription,
    { stateFolder, secret, logger }: ManagerOptions,
  ): { journal: RunJournal; planned: PlannedStage | undefined } {
    const hash = createHash('sha256').update(digest).digest('hex').slice(0, 32);
    const { journal, history } = Journal.open(path.join(stateFolder, `${hash}.journal`), name);
    const { run: known, plan, records } = history;
    const mark = secretMark(secret);
    if (known?.mark === mark)
      return { journal: new RunJournal(journal, known), planned: plan && { plan, records } };
    if (known !== undefined) logger.warn(`${name} begins anew: it was begun with another secret`);
    const run = { type: 'run', v: JOURNAL_VERSION, run: randomUUID(), mark, notes: [] } as const;
    journal.restart(run);
    return { journal: new RunJournal(journal, run), planned: undefined };
  }

  append(record: LeaseRecord): void {
    this.#journal.append(record);
  }

  writePlan({ header, chunks }: StagePlan, policy: RetryPolicy): void {
    this.#journal.append({ type: 'plan', policy, header });
    for (let i = 0; i < chunks.length; i += PLAN_LINES) {
      const part = chunks.slice(i, i + PLAN_LINES);
      this.#journal.append(...part.map((sealed) => ({ type: 'chunk', sealed }) as const));
    }
    this.#journal.append({ type: 'planned' });
  }

  /** A stage is over: what was written of it is of no use any more. */
  finishStage(note: string): void {
    const { run, notes } = this;
    notes.push(note);
    this.#journal.restart({ type: 'run', v: JOURNAL_VERSION, run, mark: this.#mark, notes });
  }

  sync(): Promise<void> {
    return this.#journal.sync();
  }

  remove(): void {
    this.#journal.remove();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

/** @throws {@link ChunkSizeError} for a plan that could not be handed out. */
export function assertSizes({ header, chunks }: StagePlan): void {
  const limit = MAX_FRAME - ENVELOPE_BYTES;
  const check = (what: string, { length }: string) => {
    if (length > limit) throw new ChunkSizeError(what, length, limit);
  };
  check('What all chunks share', header);
  for (const [index, chunk] of chunks.entries()) check(`Chunk ${index}`, chunk);
}
