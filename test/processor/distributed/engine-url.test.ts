import { expect, test } from 'vitest';
import { isLoopback, parseEngineUrl } from '../../../src/processor/distributed/engine-url.js';

const parse = (text: string) => parseEngineUrl(text, ['tcp', 'redis', 'rediss']);

test.each([
  'tcp://127.0.0.1:5555',
  'tcp://[::1]:5555',
  'tcp://manager.example:1',
  'redis://localhost:6379/2',
  'rediss://user:pass@redis.example:6380',
  'redis://redis.example:6379?allowInsecure',
])('%s is a place to meet', (url) => {
  expect(parse(url).href).toBe(new URL(url).href);
});

test.each([
  ['amqp://broker', /amqp:\/\/ is not offered, because a lease there is a connection/],
  ['amqps://broker', /is not offered/],
  ['http://example.org', /a URL such as tcp:\/\/host:port/],
  ['zmq://example.org', /a URL such as tcp:\/\/host:port/],
  ['127.0.0.1:5555', /a URL such as tcp:\/\/host:port/],
  ['', /a URL such as tcp:\/\/host:port/],
  ['redis://redis.example:6379', /rediss:\/\/, because others could listen/],
])('%s is refused, with what to use', (url, problem) => {
  expect(() => parse(url)).toThrow(problem);
  expect(() => parse(url)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});

test('passwords are not shown', () => {
  expect(() => parse('amqp://user:hunter2@broker')).not.toThrow(/hunter2/);
  expect(() => parse('redis://:hunter2@broker')).toThrow(/\*\*\*/);
});

test.each([
  ['localhost', true],
  ['127.1.2.3', true],
  ['[::1]', true],
  ['127.0.0.1.example.org', false],
  ['0.0.0.0', false],
  ['[::]', false],
  ['10.0.0.1', false],
])('only this machine reaches %s: %s', (host, expected) => {
  expect(isLoopback(new URL(`tcp://${host}:1`))).toBe(expected);
});
