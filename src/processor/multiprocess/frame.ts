import { BSON } from 'bson';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import type { Failed, Outcome } from '../outcome.js';

// One document for each value, not one for all: a document of BSON has a limit. The name of its one field says who made
// it: 64-bit integers from a server become numbers, as its store makes them; ours are Longs.
const OURS = 'v';
const SERVERS = 's';

const OPTIONS = { ignoreUndefined: true };
/** As large as the buffer of the `bson` package is at first. */
let bufferSize = 17 * 2 ** 20;

/**
 * Puts values into a frame as BSON. Types survive: dates, ObjectIds, Longs, Decimal128, binaries, NaN.
 *
 * It has one buffer for all frames: a buffer for each document would keep the garbage collector busy.
 */
export class FrameWriter {
  #buffer = new Uint8Array(2 ** 16);
  #length = 0;

  /**
   * Adds a value.
   *
   * @param value - Was found to be storable.
   * @throws whatever the `bson` package throws; the frame is as it was before.
   */
  add(value: unknown): void {
    const document = { [OURS]: value };
    if (this.#write(document)) return;
    // Larger than what is left of our buffer, or than the one in which documents are made: a long text is cut there
    // without a word. What is too large is the target's to decide.
    const size = BSON.calculateObjectSize(document, OPTIONS);
    if (size >= bufferSize) {
      bufferSize = size + 1;
      BSON.setInternalBufferSize(bufferSize);
    }
    this.#reserve(size);
    if (!this.#write(document)) throw new RangeError(`it has ${size} bytes`);
  }

  /** Adds a document that is BSON already. */
  addRaw(document: Uint8Array): void {
    const size = document.byteLength + 8;
    this.#reserve(size);
    // int32 length, type 3 (document), "s\0", the document, 0.
    const at = this.#length;
    new DataView(this.#buffer.buffer).setInt32(at, size, true);
    this.#buffer.set([3, SERVERS.charCodeAt(0), 0], at + 4);
    this.#buffer.set(document, at + 7);
    this.#buffer[at + size - 1] = 0;
    this.#length += size;
  }

  /** Adds what came of an item. */
  addOutcome(outcome: Outcome<unknown>): void {
    this.add(outcome.kind === 'done' ? [outcome.result] : outcome);
  }

  /** Gives the frame away, in memory of its own, and begins the next one. */
  take(): Uint8Array<ArrayBuffer> {
    const frame = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    return frame;
  }

  /** False when there is not enough room somewhere. */
  #write(document: object): boolean {
    try {
      const options = { ...OPTIONS, index: this.#length };
      const last = BSON.serializeWithBufferAndIndex(document, this.#buffer, options);
      if (last + 1 - this.#length >= bufferSize) return false;
      this.#length = last + 1;
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.byteLength) return;
    const larger = new Uint8Array(Math.max(2 * this.#buffer.byteLength, this.#length + size));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** Reads the values of a frame. */
export function fromFrame(frame: Uint8Array): unknown[] {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const values: unknown[] = [];
  for (let at = 0; at < frame.byteLength; ) {
    const end = at + view.getInt32(at, true);
    const name = String.fromCharCode(frame[at + 5] ?? 0);
    const promoteLongs = name === SERVERS;
    values.push(BSON.deserialize(frame.subarray(at, end), { promoteLongs })[name]);
    at = end;
  }
  return values;
}

/** Reads what {@link FrameWriter.addOutcome} wrote. */
export function toOutcome<Result>(value: unknown): Outcome<Result> {
  return Array.isArray(value)
    ? { kind: 'done', result: value[0] as Result }
    : (value as { kind: 'skipped' } | Failed);
}

/** Makes of what went wrong while packing an error that says so. */
export function packingError(error: unknown): InvalidDocumentError {
  const problem = error instanceof Error ? error.message : String(error);
  return new InvalidDocumentError('$', `it cannot be sent to or from a worker: ${problem}`);
}
