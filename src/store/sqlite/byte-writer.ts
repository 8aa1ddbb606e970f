/** A lone half of a surrogate pair: UTF-8 has no form for it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Bytes under construction, of which only the first `limit` count. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1024);
  #length = 0;
  #limit = Number.POSITIVE_INFINITY;

  /** Begins anew. */
  start(limit = Number.POSITIVE_INFINITY): void {
    this.#length = 0;
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** True when nothing that is added will count. */
  get isFull(): boolean {
    return this.#length >= this.#limit;
  }

  /** A copy of the bytes. */
  toBuffer(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, Math.min(this.#length, this.#limit)));
  }

  /** The bytes as a string of as many characters, which compares as they do. */
  toLatin1(): string {
    return this.#bytes.toString('latin1', 0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  unsigned(value: number, bytes: number): void {
    this.#reserve(bytes);
    this.#length = this.#bytes.writeUIntBE(value, this.#length, bytes);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Bytes given as hexadecimal digits. */
  hex(digits: string): void {
    this.#reserve(digits.length / 2);
    this.#length += this.#bytes.write(digits, this.#length, 'hex');
  }

  /** Eight bytes in the order of the numbers; NaN is the lowest, and -0 is 0. */
  double(value: number): void {
    this.#reserve(8);
    const start = this.#length;
    const end = this.#bytes.writeDoubleBE(value + 0, start);
    this.#length = end;
    if (Number.isNaN(value)) this.#bytes.fill(0, start, end);
    else if (value < 0) this.invert(start);
    else this.#bytes[start] = (this.#bytes[start] ?? 0) | 0x80;
  }

  /** Takes one from the last eight bytes: what {@link double} wrote becomes the double below. */
  decrement(): void {
    const start = this.#length - 8;
    this.#bytes.writeBigUInt64BE(this.#bytes.readBigUInt64BE(start) - 1n, start);
  }

  /** Turns the order of everything from a place on around. */
  invert(start: number): void {
    for (let i = start; i < this.#length; i++) this.#bytes[i] = ~(this.#bytes[i] ?? 0);
  }

  /** Text in the order of its code points, and a 0 that ends it; a NUL inside is followed by 255. */
  text(value: string): void {
    const text = value.length > this.#limit ? value.slice(0, this.#limit + 2) : value;
    this.#reserve(text.length * 4 + 1);
    if (text.includes('\0') || LONE_SURROGATE.test(text)) this.#unusualText(text);
    else this.#length += this.#bytes.write(text, this.#length);
    this.byte(0);
  }

  #unusualText(text: string): void {
    for (const character of text) {
      const unit = character.charCodeAt(0);
      const isLone = character.length === 1 && unit >= 0xd800 && unit < 0xe000;
      if (unit === 0) this.unsigned(0x00ff, 2);
      else if (isLone) this.#loneSurrogate(unit);
      else this.#length += this.#bytes.write(character, this.#length);
    }
  }

  /** A first half sorts just before the pairs that it begins, a second half after everything. */
  #loneSurrogate(unit: number): void {
    if (unit >= 0xdc00) {
      this.unsigned(0xf80000 + unit - 0xdc00, 3);
      return;
    }
    const firstPair = String.fromCharCode(unit, 0xdc00);
    this.#bytes.write(firstPair, this.#length);
    this.#length += 3;
    this.byte(0x7f);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
