import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { FileFormatError } from '../errors/serialization-errors.js';
import { Reporter } from '../reporting/reporter.js';
import { JSONStore } from '../store/memory/json-store.js';
import { SQLiteStore } from '../store/sqlite/sqlite-store.js';
import type { Store } from '../store/store.js';
import { describeValue } from './describe-value.js';
import { isStore, loadFile } from './load-builders.js';

/**
 * Makes a Reporter for the store that a file describes. Nothing is opened.
 *
 * @throws {@link FileFormatError} for a file that holds no store, or one that cannot be written.
 */
export async function openReporter(file: string): Promise<Reporter> {
  const store = await loadReportingStore(file);
  if (!store.capabilities.writable) throw new FileFormatError(file, whyReadOnly(store));
  if (store instanceof JSONStore && store.key !== '_id')
    throw new FileFormatError(
      file,
      `events have no field "${store.key}", by which the JSONStore identifies documents: set "key" to "_id"`,
    );
  const problem = whyNotWritable(fileOf(store));
  if (problem !== undefined)
    throw new FileFormatError(file, `${store.name} cannot be written: ${problem}`);
  return new Reporter(store);
}

/**
 * Reads the store that a file describes.
 *
 * @throws {@link FileFormatError} for a file that holds something else.
 */
export async function loadReportingStore(file: string): Promise<Store> {
  const [held, ...others] = await loadFile(file);
  if (others.length > 0) throw new FileFormatError(file, 'expected one store, it holds a list');
  if (!isStore(held?.value))
    throw new FileFormatError(file, `expected a store, it holds ${describeValue(held?.value)}`);
  return held.value;
}

function whyReadOnly(store: Store): string {
  const advice = store instanceof JSONStore ? ': set "read_only" to false' : '';
  return `events cannot be written to ${store.name}, it is read-only${advice}`;
}

/** The file of a store on this machine. */
function fileOf(store: Store): string | undefined {
  if (store instanceof JSONStore) return store.paths[0];
  return store instanceof SQLiteStore ? store.path : undefined;
}

/** What is wrong with a file that is to be written, or with the folder in which it is to be made. */
function whyNotWritable(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return `${file} is a folder`;
  const target = stats === undefined ? path.dirname(path.resolve(file)) : file;
  try {
    accessSync(target, constants.W_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `there is no folder ${target}` : message;
  }
}
