import { afterEach, expect, test, vi } from 'vitest';
import { MissingDependencyError } from '../../../src/errors/option-errors.js';
import { loadDriver } from '../../../src/store/sqlite/driver.js';
import { withoutWarning } from '../../../src/store/sqlite/quiet-warning.js';
import { inOtherProcess } from './support.js';

afterEach(() => vi.restoreAllMocks());

/** From 22.13 on Node has a driver of its own. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const hasOwnDriver = major > 22 || (major === 22 && minor >= 13);

/** Makes an import fail as it does where the package is not installed, and hides what Node has. */
const withoutDrivers = (error: string) => `
  const { register } = await import('node:module');
  const hooks = 'export async function resolve(name, context, next) {' +
    ' if (name === "@photostructure/sqlite") throw Object.assign(new Error(' + JSON.stringify(${JSON.stringify(error)}) + '),' +
    ' ${error.includes('find package') ? '{ code: "ERR_MODULE_NOT_FOUND" }' : '{}'});' +
    ' return next(name, context); }';
  register('data:text/javascript,' + encodeURIComponent(hooks));
  process.getBuiltinModule = () => undefined;
  const store = new SQLiteStore('never.db', 'docs');
  await store.connect().catch((error) => console.log(error.code, error.message));`;

test('says what to install where there is no driver', async () => {
  const child = inOtherProcess(
    withoutDrivers("Cannot find package '@photostructure/sqlite' imported from driver.js"),
  );
  await child.ended;
  expect(child.output().trim()).toBe(
    `MISSING_DEPENDENCY SQLiteStore on Node ${process.versions.node} needs the package ` +
      '"@photostructure/sqlite": npm install @photostructure/sqlite@1',
  );
});

test('lets a driver that is there but broken say so itself', async () => {
  const child = inOtherProcess(withoutDrivers('invalid ELF header'));
  await child.ended;
  expect(child.output()).toContain('invalid ELF header');
  expect(child.output()).not.toContain('MISSING_DEPENDENCY');
});

test('loads no driver before connect(), and then exactly one', async () => {
  const child = inOtherProcess(`
    const loaded = () => [
      process.moduleLoadList.some((name) => / sqlite$/.test(name)),
      process.report.getReport().sharedObjects.some((file) => file.includes('photostructure')),
    ];
    console.log(...loaded());
    const store = new SQLiteStore('never.db', 'docs');
    await store.connect();
    console.log(...loaded());
    await store.close();`);
  await child.ended;
  expect(child.output().trim().split('\n')).toEqual([
    'false false',
    hasOwnDriver ? 'true false' : 'false true',
  ]);
});

test('prefers the driver that Node has, without its warning', async () => {
  class DatabaseSync {}
  const emitted: string[] = [];
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => {
    emitted.push(String(warning));
  });
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
    process.emitWarning('SQLite is an experimental feature', 'ExperimentalWarning');
    process.emitWarning('SQLite is an experimental feature', { type: 'ExperimentalWarning' });
    process.emitWarning('something else', 'ExperimentalWarning');
    process.emitWarning('SQLite is old', 'DeprecationWarning');
    return { DatabaseSync };
  });
  const openDriver = await loadDriver();
  expect(openDriver('a.db')).toBeInstanceOf(DatabaseSync);
  expect(emitted).toEqual(['something else', 'SQLite is old']);
});

test('shows all warnings again after a failure', () => {
  const { emitWarning } = process;
  const fail = () => {
    throw new MissingDependencyError('x', 'y');
  };
  expect(() => withoutWarning(() => true, fail)).toThrow(MissingDependencyError);
  expect(process.emitWarning).toBe(emitWarning);
});
