import type {
  BuildEndedEvent,
  BuildEvent,
  BuildStartedEvent,
  ProgressEvent,
} from '../builder/build-events.js';
import type { Doc } from '../query/document.js';
import { endedDocument, startedDocument, updateDocument } from './report-documents.js';
import type { ResolvedReporterOptions } from './reporter-options.js';

/** Takes a document that is to be written; one with the same `_id` takes the place of the one before. */
export type WriteDocument = (doc: Doc) => void;

/** One build that is followed: makes its documents, and knows when the next is due. */
export class ReportedBuild {
  readonly #event: BuildEvent;
  readonly #write: WriteDocument;
  readonly #options: ResolvedReporterOptions;
  readonly #heart: NodeJS.Timeout;
  #started: Doc;
  #heartbeatAt = performance.now();
  /** Results that no document tells of yet. */
  #items = 0;
  #updateAt = Number.NEGATIVE_INFINITY;
  #updateTimer: NodeJS.Timeout | undefined;

  constructor(event: BuildStartedEvent, options: ResolvedReporterOptions, write: WriteDocument) {
    this.#event = event;
    this.#write = write;
    this.#options = options;
    this.#started = startedDocument(event, options.heartbeatMs);
    this.#heart = setInterval(() => this.#beat(), options.heartbeatMs).unref();
    write(this.#started);
  }

  progress({ written, total }: ProgressEvent): void {
    this.#started = { ...this.#started, processed: written, total };
    // A builder that computes without a pause leaves timers no chance.
    if (performance.now() - this.#heartbeatAt >= this.#options.heartbeatMs) this.#beat();
  }

  itemFailed(): void {
    this.#started = { ...this.#started, failed: this.#started['failed'] + 1 };
  }

  updating(items: number): void {
    this.#items += items;
    const wait = this.#updateAt + this.#options.updateIntervalMs - performance.now();
    if (wait <= 0) this.#writeUpdate();
    else this.#updateTimer ??= setTimeout(() => this.#writeUpdate(), wait).unref();
  }

  ended(event: BuildEndedEvent): void {
    this.leave();
    this.#write(endedDocument(event));
  }

  /** Writes what is known, and no more. */
  leave(): void {
    clearInterval(this.#heart);
    this.#writeUpdate();
  }

  #beat(): void {
    this.#heartbeatAt = performance.now();
    this.#write({ ...this.#started, heartbeat: new Date() });
  }

  #writeUpdate(): void {
    clearTimeout(this.#updateTimer);
    this.#updateTimer = undefined;
    if (this.#items === 0) return;
    this.#updateAt = performance.now();
    this.#write(updateDocument(this.#event, this.#items));
    this.#items = 0;
  }
}
