import { expect, test } from 'vitest';
import { redact } from '../../src/util/redact.js';

test.each([
  ['mongodb://u:p@h/db', 'mongodb://u:***@h/db'],
  ['mongodb+srv://user:p%40ss:x@a,b/db?x=1', 'mongodb+srv://user:***@a,b/db?x=1'],
  ['failed: redis://:secret@h:1 and amqp://a:b@c', 'failed: redis://:***@h:1 and amqp://a:***@c'],
  ['https://h/x?access_token=abc&y=1', 'https://h/x?access_token=***&y=1'],
  ['mongodb://h/db', 'mongodb://h/db'],
  ['mail a@b.c: no secret', 'mail a@b.c: no secret'],
])('masks the passwords in %s', (text, masked) => {
  expect(redact(text)).toBe(masked);
});
