import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  FrameDecoder,
  FrameError,
  MAX_HELLO,
  toFrame,
} from '../../../../src/processor/distributed/tcp/message-frame.js';

test('messages arrive as they were sent, however their bytes are cut', () => {
  const message = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 5,
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.array(fc.nat({ max: 40 }), { minLength: 1 }),
      (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(toFrame));
        const decoder = new FrameDecoder();
        const arrived: unknown[] = [];
        for (let start = 0, n = 0; start < bytes.length; n++) {
          const end = start + (cuts[n % cuts.length] ?? 0) + (n % 7 === 6 ? 1 : 0);
          arrived.push(...decoder.push(bytes.subarray(start, end)));
          start = end;
        }
        expect(arrived).toEqual(sent.map((one) => JSON.parse(JSON.stringify(one))));
      },
    ),
  );
});

test('a message may be as long as the limit says, and not a byte longer', () => {
  const exact = toFrame({ text: 'x'.repeat(MAX_HELLO - '{"text":""}'.length) });
  expect([...new FrameDecoder().push(exact)]).toHaveLength(1);
  const longer = toFrame({ text: 'x'.repeat(MAX_HELLO - '{"text":""}'.length + 1) });
  // The length alone is enough.
  expect(() => [...new FrameDecoder().push(longer.subarray(0, 4))]).toThrow(FrameError);
  const decoder = new FrameDecoder();
  decoder.limit = MAX_HELLO + 1;
  expect([...decoder.push(longer)]).toHaveLength(1);
});

test('what is no JSON is refused after what was good', () => {
  const decoder = new FrameDecoder();
  const bytes = Buffer.concat([toFrame({ good: 1 }), Buffer.from([0, 0, 0, 1, 0x7b])]);
  const arriving = decoder.push(bytes);
  expect(arriving.next().value).toEqual({ good: 1 });
  expect(() => arriving.next()).toThrow(FrameError);
});
