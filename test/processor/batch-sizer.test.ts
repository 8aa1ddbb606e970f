import { expect, test } from 'vitest';
import { BatchSizer } from '../../src/processor/batch-sizer.js';

test('starts with one item and grows step by step to what takes the wanted time', () => {
  const sizer = new BatchSizer(10);
  const sizes: number[] = [];
  for (let i = 0; i < 6; i++) {
    sizes.push(sizer.size);
    sizer.record(sizer.size, sizer.size * 0.1);
  }
  expect(sizes).toEqual([1, 4, 16, 64, 100, 100]);
});

test('stays with single items when they are slow, and shrinks at once', () => {
  const sizer = new BatchSizer(10);
  for (let i = 0; i < 9; i++) sizer.record(sizer.size, sizer.size * 0.001);
  expect(sizer.size).toBe(1000);
  sizer.record(1000, 5000);
  expect(sizer.size).toBe(2);
  sizer.record(2, 4000);
  expect(sizer.size).toBe(1);
});
