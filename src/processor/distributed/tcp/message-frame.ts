/** So long may a message be, in bytes. */
export const MAX_FRAME = 64 * 2 ** 20;
/** So long may one be of somebody who has not said who it is. */
export const MAX_HELLO = 10 * 2 ** 10;

const PREFIX = 4;

/** What arrived is no message. */
export class FrameError extends RangeError {}

/** Packs a message: its length in four bytes, and JSON. */
export function toFrame(message: object): Buffer {
  const json = JSON.stringify(message);
  const length = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(PREFIX + length);
  frame.writeUInt32BE(length);
  frame.write(json, PREFIX);
  return frame;
}

/** Unpacks messages from bytes, however these were cut on their way. */
export class FrameDecoder {
  /** Longer messages are refused before their bytes are kept. */
  limit = MAX_HELLO;
  #parts: Buffer[] = [];
  #size = 0;
  #needed = PREFIX;
  #isBody = false;

  /**
   * Adds bytes and yields what is complete.
   *
   * @throws {@link FrameError} for a message that is too long, or is no JSON; nothing can be read afterwards.
   */
  *push(bytes: Buffer): Generator<unknown, void, undefined> {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    while (this.#size >= this.#needed) {
      const part = this.#take(this.#needed);
      if (this.#isBody) {
        this.#needed = PREFIX;
        this.#isBody = false;
        yield parse(part);
      } else {
        this.#needed = part.readUInt32BE();
        this.#isBody = true;
        if (this.#needed > this.limit)
          throw new FrameError(
            `a message of ${this.#needed} bytes, expected ${this.limit} at most`,
          );
      }
    }
  }

  #take(length: number): Buffer {
    // Joined once per message, not once per packet.
    const all = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    this.#parts = all.length === length ? [] : [all.subarray(length)];
    this.#size -= length;
    return all.subarray(0, length);
  }
}

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    throw new FrameError('a message that is no JSON');
  }
}
