import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileFormatError } from '../errors/serialization-errors.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { encode, encodeObject } from './encode.js';
import type { FileFormat } from './file-format.js';
import { compress, formatOf } from './file-format.js';
import type { JsonFormat } from './json-writer.js';
import { printJson } from './json-writer.js';
import type { MsonDict } from './plain-value.js';
import { printYaml } from './yaml-text.js';

/** Options of {@link dumps}. */
export interface DumpsOptions extends JsonFormat {
  /**
   * `file:` URL of the file or folder to which the paths of script modules are made relative.
   * @defaultValue none: they are written as `file:` URLs
   */
  readonly base?: string | undefined;
}

/** Options of {@link dumpfn}. */
export interface DumpfnOptions extends JsonFormat {
  /**
   * The format, whatever the file is called.
   * @defaultValue by the file's name: YAML when it contains `.yaml` or `.yml`, else JSON
   */
  readonly format?: FileFormat | undefined;
}

/**
 * The plain form of a decorated object: `@module`, `@class`, `@version`, then the constructor's arguments.
 *
 * It holds only records, lists, strings, numbers, bigints, booleans and null, and is the caller's to change.
 * Secrets are in it.
 *
 * @param value - An instance of a class decorated with `MSONable`.
 * @throws {@link SerializationError} when it, or something in it, cannot be written; with the path.
 *
 * @example
 * ```ts
 * asDict(new MemoryStore({ key: 'k' }));
 * // { '@module': 'maggma.stores.mongolike', '@class': 'MemoryStore', '@version': '0.74.0', …, key: 'k' }
 * ```
 */
export function asDict(value: object): MsonDict {
  return encodeObject(value);
}

/**
 * The same as {@link asDict} for people and logs: secrets are `***`, references to them stay.
 *
 * @param value - An instance of a class decorated with `MSONable`.
 */
export function asMaskedDict(value: object): MsonDict {
  return encodeObject(value, { secrets: 'mask' });
}

/**
 * Prints a value as JSON, as monty's encoder and Python's `json.dumps` do.
 *
 * @param value - An object, or any data with objects in it.
 * @param options - Indentation and the like; without, everything is in one line.
 * @throws {@link SerializationError} when something in it cannot be written; with the path.
 */
export function dumps(value: unknown, options: DumpsOptions = {}): string {
  const { base, ...format } = options;
  const folder = base === undefined ? undefined : fileURLToPath(new URL('.', base));
  return printJson(encode(value, { folder }).plain, format);
}

/**
 * Writes a value to a file that {@link loadfn}, and Python's `loadfn`, read back.
 *
 * Format and compression follow from the name, as in monty: `.yaml` or `.yml` anywhere in it is YAML, all else
 * JSON; `.gz` at the end compresses. The file is replaced as a whole or not at all. It is readable by its owner
 * only (mode 0600) when secrets are in it. Classes of scripts are written as paths relative to the file, so
 * that the folder can be moved.
 *
 * @param value - An object, or any data with objects in it.
 * @param file - Path of the file; its folder must exist.
 * @throws {@link SerializationError} when something in it cannot be written; with the path.
 * @throws {@link FileFormatError} for a format that is not supported, or when the file cannot be written.
 *
 * @example
 * ```ts
 * dumpfn(builder, 'builder.json', { indent: 2 });
 * ```
 */
export function dumpfn(value: unknown, file: string, options: DumpfnOptions = {}): void {
  const { format = formatOf(file), ...json } = options;
  const target = path.resolve(file);
  const { plain, holdsSecret } = encode(value, { folder: realFolder(file, target) });
  const indent = typeof json.indent === 'number' && json.indent > 0 ? json.indent : 2;
  const text = format === 'yaml' ? printYaml(plain, indent) : printJson(plain, json);
  const bytes = compress(file, text);
  try {
    writeFileAtomic(target, bytes, holdsSecret ? 0o600 : 0o666);
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

function realFolder(file: string, target: string): string {
  try {
    return realpathSync(path.dirname(target));
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

function cannotWrite(file: string, cause: unknown): FileFormatError {
  return new FileFormatError(file, `it cannot be written: ${(cause as Error).message}`, { cause });
}
