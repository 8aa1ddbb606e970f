import type { RetryPolicy, Sealed, StagePlan } from '../engine.js';
import type { LeaseRecord } from './lease-record.js';

/** The first line of a journal. */
export interface RunEntry {
  readonly type: 'run';
  /** Of the journal's format. */
  readonly v: number;
  readonly run: string;
  /** Of the secret that its chunks are sealed with. */
  readonly mark: string;
  /** What is to be known of the stages that are finished. */
  readonly notes: readonly string[];
}

/** What is written down of a run. */
export type JournalEntry =
  | RunEntry
  | {
      readonly type: 'plan';
      readonly policy: RetryPolicy;
      readonly header: Sealed;
    }
  | { readonly type: 'chunk'; readonly sealed: Sealed }
  /** The plan is complete. */
  | { readonly type: 'planned' }
  | LeaseRecord;

/** Of the format of {@link JournalEntry}. */
export const JOURNAL_VERSION = 1;

/** Where a run stands: what its journal adds up to. */
export class RunHistory {
  run: RunEntry | undefined;
  plan: (StagePlan & { readonly policy: RetryPolicy }) | undefined;
  readonly records: LeaseRecord[] = [];
  #draft: { policy: RetryPolicy; header: Sealed; chunks: Sealed[] } | undefined;

  add(entry: JournalEntry): void {
    switch (entry.type) {
      case 'run':
        this.run = entry;
        return;
      case 'plan':
        // One that was not completed is forgotten.
        this.#draft = { policy: entry.policy, header: entry.header, chunks: [] };
        return;
      case 'chunk':
        this.#draft?.chunks.push(entry.sealed);
        return;
      case 'planned':
        this.plan = this.#draft;
        return;
      default:
        this.records.push(entry);
    }
  }
}
