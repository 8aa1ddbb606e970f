import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { pidScope } from '../../src/util/machine.js';
import { hasEnded, processMark } from '../../src/util/process-mark.js';

const { pid: DEAD } = spawnSync(process.execPath, ['--version']);
const [PLACE, START] = pidScope().split('-');
const BEFORE = new Date(Date.now() - process.uptime() * 1000 - 60_000).toISOString();

test.each([
  ['this process', {}, false],
  ['one that runs', { pid: process.ppid }, false],
  ['one that is gone', { pid: DEAD }, true],
  ['an earlier one with our number', { since: BEFORE }, true],
  ['one of before the machine was started', { pidScope: `${PLACE}-then` }, true],
  [
    'one that is gone, or not, in another container',
    { pid: DEAD, pidScope: `other-${START}` },
    false,
  ],
  ['one of which nothing is known', { pid: DEAD, pidScope: undefined as never }, false],
])('%s: %o has ended: %s', (_, change, expected) => {
  expect(hasEnded({ ...processMark(), ...change })).toBe(expected);
});
