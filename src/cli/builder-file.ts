import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FileFormatError } from '../errors/serialization-errors.js';
import { COMMAND_NAMES } from './option-table.js';
import { closest } from './suggest.js';

/** How builders are read from a file. */
export type BuilderFileKind = 'dump' | 'script';

const DUMP = /\.(?:json|ya?ml)(?:\.gz)?$/i;
const SCRIPT = /\.[cm]?[jt]s$/i;

/**
 * Tells how to read a file, and that it can be read, without opening it.
 *
 * @throws {@link FileFormatError} for a file that is not there, is empty, or whose name says nothing.
 */
export async function checkBuilderFile(file: string): Promise<BuilderFileKind> {
  const stats = await stat(file).catch(async (cause: NodeJS.ErrnoException) => {
    const problem = cause.code === 'ENOENT' ? await notThere(file) : cause.message;
    throw new FileFormatError(file, problem, { cause });
  });
  if (stats.isDirectory())
    throw new FileFormatError(file, 'it is a folder: name the builder files in it');
  const kind = DUMP.test(file) ? 'dump' : SCRIPT.test(file) ? 'script' : undefined;
  if (kind === undefined)
    throw new FileFormatError(
      file,
      'expected a name that ends in .json, .yaml or .yml (also with .gz), .js, .mjs, .cjs, .ts, .mts or .cts',
    );
  if (stats.isFile() && stats.size === 0)
    throw new FileFormatError(file, 'it is empty, expected a builder or a list of builders');
  return kind;
}

/** Says that a file is not there, and what may have been meant: a command, or a file of the same folder. */
async function notThere(file: string): Promise<string> {
  const { dir, base } = path.parse(file);
  const isWord = /^[a-z]+$/i.test(file);
  const command = isWord ? closest(file, COMMAND_NAMES) : undefined;
  const what = isWord ? 'there is no such file or command' : 'there is no such file';
  if (command !== undefined) return `${what} (did you mean "mrun ${command}"?)`;
  const others = await readdir(dir || '.').catch((error: NodeJS.ErrnoException) => {
    // There is nothing to suggest.
    if (error.code === 'ENOENT' || error.code === 'EACCES') return [];
    throw error;
  });
  const files = others.filter((name) => DUMP.test(name) || SCRIPT.test(name));
  const best = closest(stemOf(base), files.map(stemOf));
  const similar = files.find((name) => stemOf(name) === best);
  return similar === undefined ? what : `${what} (did you mean ${path.join(dir, similar)}?)`;
}

const stemOf = (name: string): string => name.replace(/\..*$/, '');
