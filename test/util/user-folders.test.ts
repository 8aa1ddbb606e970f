import { homedir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { dataFolder, stateFolder } from '../../src/util/user-folders.js';

const { platform } = process;
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform });
  vi.unstubAllEnvs();
});

test('data and state of a user lie where Linux wants them, and where the user wants them', () => {
  Object.defineProperty(process, 'platform', { value: 'linux' });
  for (const name of ['XDG_DATA_HOME', 'XDG_STATE_HOME']) vi.stubEnv(name, '');
  expect(dataFolder()).toBe(path.join(homedir(), '.local/share/maggma'));
  expect(stateFolder()).toBe(path.join(homedir(), '.local/state/maggma'));
  vi.stubEnv('XDG_DATA_HOME', '/data');
  vi.stubEnv('XDG_STATE_HOME', '/state');
  expect([dataFolder(), stateFolder()]).toEqual(['/data/maggma', '/state/maggma']);
});

test('state is data where systems do not tell them apart; it is no log', () => {
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  expect(stateFolder()).toBe(path.join(homedir(), 'Library/Application Support/maggma'));
  expect(dataFolder()).toBe(stateFolder());
});
