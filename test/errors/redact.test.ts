import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { toPortable } from '../../src/errors/error-transfer.js';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { redact, redactError, registerSecret } from '../../src/errors/redact.js';
import { showValue } from '../../src/errors/show-value.js';
import { StoreConnectionError } from '../../src/errors/store-errors.js';

test.each([
  ['mongodb://u:p@h/db', 'mongodb://u:***@h/db'],
  ['mongodb+srv://user:p%40ss:x@a,b/db?x=1', 'mongodb+srv://user:***@a,b/db?x=1'],
  ['failed: redis://:secret@h:1 and amqp://a:b@c', 'failed: redis://:***@h:1 and amqp://a:***@c'],
  ['https://h/x?access_token=abc&y=1', 'https://h/x?access_token=***&y=1'],
  [
    'mongodb://h/?tlsCertificateKeyFilePassword=abc',
    'mongodb://h/?tlsCertificateKeyFilePassword=***',
  ],
  ['{"a":"mongodb://u:p","b":"x@y"}', '{"a":"mongodb://u:p","b":"x@y"}'],
  ['mongodb://u:$env:PW@h/db', 'mongodb://u:$env:PW@h/db'],
  ['mongodb://h/db', 'mongodb://h/db'],
  ['mail a@b.c: no secret', 'mail a@b.c: no secret'],
])('masks the passwords in %s', (text, masked) => {
  expect(redact(text)).toBe(masked);
});

test('takes no longer for texts that almost match', () => {
  const started = performance.now();
  for (const text of [
    'a'.repeat(1e6),
    '://a'.repeat(2e5),
    '?key'.repeat(2e5),
    '&token&'.repeat(1e5),
  ])
    redact(text);
  expect(performance.now() - started).toBeLessThan(2000);
});

test.each([
  ['a password', 'tr0ub4dor&3', 'login with tr0ub4dor&3 failed', 'login with *** failed'],
  ['in a URI', 'p/w@1234', 'at mongodb:p%2Fw%401234', 'at mongodb:***'],
  ['in JSON', 'say "friend"', '{"a":"say \\"friend\\""}', '{"a":"***"}'],
  ['in JSON in JSON', 'q"uo"te-9', JSON.stringify(JSON.stringify('q"uo"te-9')), '"\\"***\\""'],
  ['in a URI of others', "it's/50%!", 'it%27s%2f50%25%21 or it%2527s/50%!', '*** or ***'],
  ['in ASCII', 'Uppsalaå€', 'Uppsala\\u00e5\\u20AC', '***'],
  ['with percent signs', '100%-sure', '100%-sure', '***'],
  ['the password of a URI', 'mongodb://me:gr%40ndma1@h/db', 'gr@ndma1, gr%40ndma1', '***, ***'],
  ['a parameter of a URI', 'amqp://h/?token=l0ngT0ken', 'got l0ngT0ken', 'got ***'],
  ['lines', 'first-line-9\n second-line-9\n', 'a first-line-9 second-line-9 b', 'a *** *** b'],
  ['signs of patterns', 'a.c*(d)[e]^$|{1}\\', 'x a.c*(d)[e]^$|{1}\\ y aXc', 'x *** y aXc'],
  ['half of a surrogate pair', 'half\ud83d8888', 'half\ud83d8888!', '***!'],
  [
    'a short word, where it stands apart',
    'test',
    'test latest (test) test1',
    '*** latest (***) test1',
  ],
  ['hardly anything', 'abc', 'abc', 'abc'],
  ['nothing', '', 'abc', 'abc'],
])('masks what was registered: %s', (_, secret, text, masked) => {
  registerSecret(secret);
  expect(redact(text)).toBe(masked);
});

test('a longer secret is masked before one that is a part of it', () => {
  registerSecret('swordfish');
  registerSecret('swordfish-and-chips');
  expect(redact('swordfish-and-chips')).toBe('***');
});

test('errors are masked, with their causes', () => {
  registerSecret('open-sesame');
  const root = new Error('the driver quotes open-sesame and redis://:0@h');
  const own = new StoreConnectionError('memory', 'open-sesame is refused', {
    cause: new TypeError('not open-sesame', { cause: root }),
  });
  expect(own.message).toBe('Cannot connect memory: *** is refused');
  expect(inspect(own, { showHidden: true })).not.toMatch(/sesame|:0@/);
  expect(root.message).toBe('the driver quotes *** and redis://:***@h');
  expect(JSON.stringify(toPortable(new Error('open-sesame')))).not.toContain('sesame');
  expect(toPortable('open-sesame')).toEqual({ name: 'NonError', message: '***' });
  expect(new InvalidOptionError('door', 'closed', 'open-sesame').message).toContain("'***'");
});

test('a secret is masked before it is cut', () => {
  registerSecret('a-secret-of-some-length');
  expect(showValue(`${'x'.repeat(50)} a-secret-of-some-length`)).toBe(`'${'x'.repeat(50)} ***'`);
});

test.each([
  ['throws', Object.defineProperty(new Error(), 'message', { get: () => expect.fail() })],
  ['is revoked', revoked()],
  ['is frozen', Object.freeze(new Error('mongodb://u:p@h'))],
  ['is no error', 'text'],
])('an error that %s does no harm', (_, error) => {
  expect(() => redactError(error)).not.toThrow();
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
  revoke();
  return proxy;
}
