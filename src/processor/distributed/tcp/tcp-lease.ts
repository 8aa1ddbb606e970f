import type { PortableError } from '../../../errors/error-transfer.js';
import type { ChunkId, ChunkProgress, ChunkResult, Lease, Sealed } from '../engine.js';
import type { WorkerMessage } from './messages.js';
import type { LeaseEnd } from './worker-leases.js';

/** What came with a lease. */
export interface LeaseGrant {
  readonly id: ChunkId;
  readonly attempt: number;
  readonly header: Sealed;
  readonly payload: Sealed;
  readonly token: string;
}

/** What a lease needs of its session. */
export interface LeaseHolder {
  isCertain(token: string): boolean;
  /** Asks the manager which leases are held. */
  ask(): void;
  end(end: LeaseEnd): void;
  tell(message: WorkerMessage): void;
}

/** A lease, for whoever works on its chunk. */
export class TcpLease implements Lease {
  readonly id: ChunkId;
  readonly attempt: number;
  readonly header: Sealed;
  readonly payload: Sealed;
  readonly #holder: LeaseHolder;
  readonly #key: { readonly stage: number; readonly index: number; readonly token: string };
  readonly #lost = new AbortController();
  #questions: { readonly askedAt: number; readonly answer: (isHeld: boolean) => void }[] = [];
  #isOver = false;
  #ended: Promise<void> | undefined;
  #recorded = () => {};

  constructor({ id, attempt, header, payload, token }: LeaseGrant, holder: LeaseHolder) {
    this.id = id;
    this.attempt = attempt;
    this.header = header;
    this.payload = payload;
    this.#key = { stage: id.stage, index: id.index, token };
    this.#holder = holder;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async held(): Promise<boolean> {
    if (this.#isOver) return false;
    if (this.#holder.isCertain(this.#key.token)) return true;
    return new Promise((answer) => {
      this.#questions.push({ askedAt: performance.now(), answer });
      this.#holder.ask();
    });
  }

  progress(progress: ChunkProgress): void {
    if (!this.#isOver) this.#holder.tell({ type: 'PROGRESS', ...this.#key, progress });
  }

  updating(items: number): void {
    if (!this.#isOver) this.#holder.tell({ type: 'UPDATING', ...this.#key, items });
  }

  ack(result: ChunkResult): Promise<void> {
    return this.#end({ type: 'DONE', ...this.#key, result });
  }

  nack(error: PortableError, { fatal = false }: { fatal?: boolean } = {}): Promise<void> {
    return this.#end({ type: 'FAIL', ...this.#key, error, fatal });
  }

  release(): Promise<void> {
    return this.#end({ type: 'NACK', ...this.#key });
  }

  /** The manager said, when it was asked at that time, that the lease is held. */
  hearHeld(askedAt: number): void {
    const isAnswered = (question: { askedAt: number }) => question.askedAt <= askedAt;
    const answered = this.#questions.filter(isAnswered);
    this.#questions = this.#questions.filter((question) => !isAnswered(question));
    for (const { answer } of answered) answer(true);
  }

  /** Somebody else may have the chunk, or nobody wants it any more. */
  hearLost(): void {
    this.#isOver = true;
    for (const { answer } of this.#questions.splice(0)) answer(false);
    // How it ends is of no interest to anybody.
    this.#recorded();
    this.#lost.abort();
  }

  /** Its end is recorded for good. */
  hearRecorded(): void {
    this.#recorded();
  }

  /** The first end counts. */
  #end(end: LeaseEnd): Promise<void> {
    if (this.#ended !== undefined || this.#isOver) return this.#ended ?? Promise.resolve();
    this.#isOver = true;
    for (const { answer } of this.#questions.splice(0)) answer(false);
    this.#ended = new Promise((resolve) => {
      this.#recorded = resolve;
    });
    this.#holder.end(end);
    return this.#ended;
  }
}
