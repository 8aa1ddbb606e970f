import { expect, test } from 'vitest';
import { COMMAND_NAMES } from '../../src/cli/option-table.js';
import { closest, didYouMean } from '../../src/cli/suggest.js';

test.each([
  ['statsu', 'status'],
  ['stat', 'status'],
  ['STATUS', 'status'],
  ['sohw', 'show'],
  ['valdiate', 'validate'],
  ['failure', 'failures'],
  ['complet', 'completion'],
  ['x', undefined],
  ['in', undefined],
  ['builder', undefined],
  ['', undefined],
])('%j is taken for %j', (word, meant) => {
  expect(closest(word, COMMAND_NAMES)).toBe(meant);
});

test('the most similar one is suggested', () => {
  expect(closest('retrys', ['entries', 'retries', 'retry'])).toBe('retry');
  expect(didYouMean('retrys', ['retries'])).toBe(' (did you mean retries?)');
  expect(didYouMean('retrys', ['plan'])).toBe('');
});
