import { BSON } from 'bson';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import type { Failed, Outcome } from '../outcome.js';

/** A value in a frame of its own, as bytes. */
export type Packed = Uint8Array;

// One document for each value, not one for all: a document of BSON has a limit. The name of its one field says who made
// it: 64-bit integers from a server become numbers, as its store makes them; ours are Longs.
const OURS = 'v';
const SERVERS = 's';

const OPTIONS = { ignoreUndefined: true };
/** As large as the buffer of the `bson` package is at first. */
let bufferSize = 17 * 2 ** 20;

/**
 * Writes a value as BSON. Types survive: dates, ObjectIds, Longs, Decimal128, binaries, NaN.
 *
 * @param value - Was found to be storable.
 */
export function pack(value: unknown): Packed {
  const document = { [OURS]: value };
  let bytes: Uint8Array | undefined;
  try {
    bytes = BSON.serialize(document, OPTIONS);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  // Larger than the buffer in which documents are made; a long text is cut there without a word.
  if (bytes === undefined || bytes.byteLength >= bufferSize) {
    // What is too large is the target's to decide.
    bufferSize = BSON.calculateObjectSize(document, OPTIONS) + 1;
    BSON.setInternalBufferSize(bufferSize);
    bytes = BSON.serialize(document, OPTIONS);
  }
  return bytes;
}

/** Wraps a document that is BSON already. */
export function packRaw(document: Uint8Array): Packed {
  // int32 length, type 3 (document), "s\0", the document, 0.
  const packed = new Uint8Array(document.byteLength + 8);
  new DataView(packed.buffer).setInt32(0, packed.byteLength, true);
  packed[4] = 3;
  packed[5] = SERVERS.charCodeAt(0);
  packed.set(document, 7);
  return packed;
}

/** Puts values together in memory that can be handed over to another thread. */
export function toFrame(parts: readonly Packed[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const frame = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    frame.set(part, at);
    at += part.byteLength;
  }
  return frame;
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

/** Writes what came of an item. */
export function packOutcome(outcome: Outcome<unknown>): Packed {
  return pack(outcome.kind === 'done' ? [outcome.result] : outcome);
}

/** Reads what {@link packOutcome} wrote. */
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
