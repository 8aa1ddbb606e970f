import { expect, test } from 'vitest';
import { ItemQueue } from '../../src/util/item-queue.js';

test('hands items over in their order', async () => {
  const queue = new ItemQueue<number>(3);
  queue.addAll([1, 2]);
  queue.add(3);
  expect(queue.take(2)).toEqual([1, 2]);
  queue.add(4);
  expect(queue.take(9)).toEqual([3, 4]);
  expect(queue.take(9)).toEqual([]);
});

test('has no room from its capacity on, until something is taken', async () => {
  const queue = new ItemQueue<number>(2);
  queue.addAll([1, 2, 3]);
  expect(queue.hasRoom).toBe(false);
  let waited = false;
  const room = queue.room().then(() => {
    waited = true;
  });
  queue.take(1);
  await Promise.resolve();
  expect(waited).toBe(false);
  queue.take(1);
  await room;
  expect(queue.size).toBe(1);
});

test('a reader waits for as many items as it wants, or for the end', async () => {
  const queue = new ItemQueue<number>(10);
  const filled = queue.filled(2).then(() => queue.take(2));
  queue.add(1);
  queue.add(2);
  expect(await filled).toEqual([1, 2]);
  queue.add(3);
  const rest = queue.filled(5).then(() => queue.take(5));
  queue.end();
  expect(await rest).toEqual([3]);
  expect(queue.finished).toBe(true);
  expect(queue.closed).toBe(false);
});

test('closing drops everything and keeps nobody waiting', async () => {
  const queue = new ItemQueue<number>(1);
  queue.add(1);
  const waiting = Promise.all([queue.room(), queue.filled(2), queue.whenClosed()]);
  queue.close();
  await waiting;
  queue.add(2);
  queue.addAll([3]);
  expect([queue.size, queue.finished, queue.hasRoom]).toEqual([0, true, true]);
});
