import { stat } from 'node:fs/promises';
import { FileFormatError } from '../errors/serialization-errors.js';

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
  const stats = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
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
