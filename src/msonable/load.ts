import { readFile, realpath } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { FileFormatError } from '../errors/serialization-errors.js';
import type { FinderOptions } from './class-finder.js';
import { ClassFinder } from './class-finder.js';
import { decode } from './decode.js';
import type { FileFormat } from './file-format.js';
import { decompress, formatOf } from './file-format.js';
import { parseJson } from './json-reader.js';
import type { PlainValue } from './plain-value.js';
import { parseYaml } from './yaml-text.js';

/** Options of {@link fromDict} and {@link loads}. */
export interface LoadOptions extends FinderOptions {
  /**
   * What becomes of a class that nobody knows: an error, or its record is kept as it is.
   *
   * @defaultValue An error where somebody may expect an object: at the top, in a list or record at the top, as an
   * argument of an object, and in lists there. Deeper, in plain data, it is kept. Values of Python's that have no
   * counterpart here (numpy, pandas, pint, torch, paths, functions, members of enums) are always kept. What was
   * kept is written again as it was read, and nothing in it is ever imported, built or called.
   */
  readonly unknown?: 'error' | 'keep' | undefined;
}

/** Options of {@link loadfn}. */
export interface LoadfnOptions extends Omit<LoadOptions, 'base'> {
  /**
   * Where relative modules and packages are looked for, instead of beside the file.
   * @defaultValue the file
   */
  readonly base?: string | undefined;
  /**
   * The format, whatever the file is called.
   * @defaultValue by the file's name: YAML when it contains `.yaml` or `.yml`, else JSON
   */
  readonly format?: FileFormat | undefined;
}

/**
 * Builds the object that `asDict` described, or the values in any plain data.
 *
 * Modules that define its classes are imported when they are not known yet, so that it is asynchronous. The
 * constructors of the classes run, with their defaults and checks.
 *
 * @param dict - Plain data. It is not changed.
 * @throws {@link UnknownClassError} for a class that nobody knows; see `unknown`.
 * @throws {@link DeserializationError} for arguments that do not fit, with the path; the constructor's own error
 * is its `cause`.
 *
 * @example
 * ```ts
 * const copy = await fromDict<MemoryStore>(asDict(store));
 * ```
 */
export function fromDict<T = unknown>(dict: object, options: LoadOptions = {}): Promise<T> {
  return load<T>(dict as PlainValue, options, false);
}

/**
 * Reads a value from JSON, as monty's decoder does: objects, dates and other tagged values, and MongoDB's extended
 * JSON. A `$regex` stays the operator that it is in a query (Python makes a pattern of it).
 *
 * @param text - What `dumps`, or Python's `json.dumps(…, cls=MontyEncoder)`, wrote.
 * @throws {@link DeserializationError} for text that is not JSON, with line and column; and as `fromDict`.
 * @throws {@link UnknownClassError} as `fromDict`.
 */
export async function loads<T = unknown>(text: string, options: LoadOptions = {}): Promise<T> {
  return load<T>(parseJson(text), options, true);
}

/**
 * Reads a value from a file that `dumpfn`, or Python's `dumpfn`, wrote.
 *
 * Format and compression follow from the name, as there. In YAML objects and dates are decoded as well (Python
 * leaves that to its caller), extended JSON is not.
 *
 * The file names modules that are imported, which runs them: pass `allow` for a file that is not yours.
 *
 * @param file - Path of the file.
 * @throws {@link FileFormatError} for a file that cannot be read or is not what its name says.
 * @throws {@link UnknownClassError} for a class that nobody knows; see `unknown`.
 * @throws {@link DeserializationError} for arguments that do not fit, with the path.
 *
 * @example
 * ```ts
 * const builder = await loadfn<Builder>('builder.json');
 * await builder.run();
 * ```
 */
export async function loadfn<T = unknown>(file: string, options: LoadfnOptions = {}): Promise<T> {
  const { format = formatOf(file), base, ...others } = options;
  const { bytes, url } = await readBytes(file);
  const text = decompress(file, bytes);
  const report = (problem: string): FileFormatError => new FileFormatError(file, problem);
  const plain = format === 'yaml' ? parseYaml(text, report) : parseJson(text, report);
  return load<T>(plain, { ...others, base: base ?? url }, format === 'json');
}

async function readBytes(file: string): Promise<{ bytes: Buffer; url: string }> {
  try {
    return { bytes: await readFile(file), url: pathToFileURL(await realpath(file)).href };
  } catch (cause) {
    throw new FileFormatError(file, `it cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function load<T>(
  plain: PlainValue,
  { unknown, ...options }: LoadOptions,
  extendedJson: boolean,
): Promise<T> {
  const finder = new ClassFinder(options);
  await finder.prepare(plain);
  const { find, advise } = finder;
  return decode(plain, { find, advise, unknown, extendedJson }) as T;
}
