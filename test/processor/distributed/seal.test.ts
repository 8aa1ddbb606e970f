import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SealError } from '../../../src/errors/distributed-errors.js';
import { HEADER, Sealer } from '../../../src/processor/distributed/seal.js';

const SECRET = randomBytes(32);
const PLACE = { run: 'r1', stage: 1, index: 7 };
const TEXT = '{"query":{"k":{"$in":["α",2]}}}';

describe('what is sealed', () => {
  const sealer = new Sealer(SECRET);

  test('can be opened where it belongs, with the same secret', () => {
    for (const text of [TEXT, '', 'x'.repeat(1e6)])
      expect(new Sealer(SECRET).open(sealer.seal(text, PLACE), PLACE)).toBe(text);
  });

  test('differs each time, and shows nothing of what it is', () => {
    const sealed = Array.from({ length: 20 }, () => sealer.seal(TEXT, PLACE));
    expect(new Set(sealed).size).toBe(20);
    const bytes = Buffer.from(sealed[0] as string, 'base64');
    expect(bytes.includes('query')).toBe(false);
    expect(bytes.length).toBe(12 + Buffer.byteLength(TEXT) + 16);
  });

  test.each([
    { ...PLACE, run: 'r2' },
    { ...PLACE, stage: 0 },
    { ...PLACE, index: 8 },
    { ...PLACE, index: HEADER },
  ])('cannot be handed out as %o', (place) => {
    expect(() => sealer.open(sealer.seal(TEXT, PLACE), place)).toThrow(SealError);
  });

  test('cannot be opened with another secret', () => {
    const sealed = new Sealer(randomBytes(32)).seal(TEXT, PLACE);
    expect(() => sealer.open(sealed, PLACE)).toThrow(/chunk 7 of stage 1 cannot be opened/);
  });

  test('is refused when any byte of it was changed, or some are missing', () => {
    const bytes = Buffer.from(sealer.seal(TEXT, PLACE), 'base64');
    for (const at of bytes.keys()) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] as number) ^ 1;
      expect(() => sealer.open(other.toString('base64'), PLACE)).toThrow(SealError);
    }
    for (const length of [0, 1, 11, 12, 27, 28, bytes.length - 1])
      expect(() => sealer.open(bytes.toString('base64', 0, length), PLACE)).toThrow(SealError);
    expect(() => sealer.open('no base64, ☃', PLACE)).toThrow(SealError);
  });
});
