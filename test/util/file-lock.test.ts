import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { holdFileLock, withFileLock } from '../../src/util/file-lock.js';
import { processMark } from '../../src/util/process-mark.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-lock-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const fail = (problem: string) => new RangeError(problem);
const file = () => path.join(folder, 'data.json');
const lock = () => `${file()}.lock`;

test('holds the lock while it acts, and frees it when the action throws', async () => {
  expect(await withFileLock(file(), () => existsSync(lock()), fail)).toBe(true);
  expect(existsSync(lock())).toBe(false);
  const throwing = () => {
    throw new TypeError('broke');
  };
  await expect(withFileLock(file(), throwing, fail)).rejects.toThrow('broke');
  expect(existsSync(lock())).toBe(false);
});

test('waits for a living owner, and acts when the lock is free', async () => {
  writeFileSync(lock(), JSON.stringify(processMark()));
  const acting = withFileLock(file(), () => 'acted', fail);
  rmSync(lock());
  expect(await acting).toBe('acted');
});

test('names the owner when the lock does not become free', async () => {
  writeFileSync(lock(), JSON.stringify({ pid: 1, host: 'elsewhere', since: 'yesterday' }));
  const clock = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(20_000);
  const acting = withFileLock(file(), () => 'acted', fail);
  await expect(acting).rejects.toThrow(
    /data\.json\.lock is not free: process 1 on elsewhere holds it since yesterday/,
  );
  clock.mockRestore();
  expect(existsSync(lock())).toBe(true);
});

test('takes over the lock of an owner that was killed before it was named, but not of one that is about to be', async () => {
  const outcome = async (ageSeconds: number) => {
    writeFileSync(lock(), '');
    const then = Date.now() / 1000 - ageSeconds;
    utimesSync(lock(), then, then);
    const clock = vi.spyOn(performance, 'now').mockReturnValue(20_000);
    clock.mockReturnValueOnce(0).mockReturnValueOnce(1);
    const acted = await withFileLock(file(), () => 'acted', fail).catch(String);
    clock.mockRestore();
    return acted;
  };
  expect(await outcome(60)).toBe('acted');
  expect(await outcome(0)).toMatch(/its owner is unknown/);
});

test('holds a lock until it is freed, and takes over that of a dead process at once', async () => {
  const free = holdFileLock(file(), fail);
  expect(() => holdFileLock(file(), fail)).toThrow(
    new RegExp(`data\\.json\\.lock is not free: process ${process.pid} on`),
  );
  free();
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(lock(), JSON.stringify({ ...processMark(), pid }));
  holdFileLock(file(), fail)();
  expect(existsSync(lock())).toBe(false);
});

test('a process of an equal name and number in another container is not taken for a dead one', () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(lock(), JSON.stringify({ ...processMark(), pid, pidScope: 'other' }));
  expect(() => holdFileLock(file(), fail)).toThrow(/is not free/);
});
