import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyBuilder } from '../builder/builder.js';
import { isBuilder } from '../builder/builder.js';
import { InvalidBuilderError } from '../errors/builder-errors.js';
import { isMaggmaError } from '../errors/maggma-error.js';
import { FileFormatError } from '../errors/serialization-errors.js';
import { importModule } from '../msonable/import-module.js';
import { loadfn } from '../msonable/load.js';
import type { Store } from '../store/store.js';
import { checkBuilderFile } from './builder-file.js';
import { describeValue } from './describe-value.js';
// Registers all classes of the package, so that files can name them.
import '../index.js';

type Exports = Readonly<Record<string, unknown>>;

const METHODS = ['getItems', 'processItem', 'updateTargets'] as const;

/** What a file holds at one place. */
export interface Held {
  readonly value: unknown;
  /** `holds`, or `holds at [1]` in a list. */
  readonly place: string;
}

/** A file and what it holds. */
export interface LoadedFile {
  readonly file: string;
  readonly builders: readonly AnyBuilder[];
}

/**
 * Reads the builders of all files, in their order. Nothing is opened: no store is connected.
 *
 * @throws {@link FileFormatError} for a file that holds no builder, with its name.
 * @throws {@link InvalidBuilderError} for a builder that lacks a method.
 */
export async function loadBuilders(files: readonly string[]): Promise<AnyBuilder[]> {
  const loaded = await loadBuilderFiles(files);
  return loaded.flatMap(({ builders }) => builders);
}

/** The same as {@link loadBuilders}, file by file. */
export async function loadBuilderFiles(files: readonly string[]): Promise<LoadedFile[]> {
  // All of them first, so that no script runs when a later name is wrong.
  for (const file of files) await checkBuilderFile(file);
  const loaded: LoadedFile[] = [];
  for (const file of files) {
    const held = await loadFile(file);
    loaded.push({ file, builders: held.map((each) => toBuilder(file, each)) });
  }
  return loaded;
}

/**
 * Reads what a file holds, whatever that is: at least one thing.
 *
 * @throws {@link FileFormatError} for a file that cannot be read, with its name.
 */
export async function loadFile(file: string): Promise<Held[]> {
  const kind = await checkBuilderFile(file);
  const value = await naming(file, () => (kind === 'dump' ? loadfn(file) : loadScript(file)));
  if (!Array.isArray(value)) return [{ value, place: 'holds' }];
  if (value.length === 0) throw unexpected(file, 'holds', value);
  return value.map((item: unknown, i) => ({ value: item, place: `holds at [${i}]` }));
}

/**
 * What a file holds, as the builder that it should be.
 *
 * @param expected - What else it could be, for the message.
 * @throws {@link FileFormatError} and {@link InvalidBuilderError} as {@link loadBuilders}.
 */
export function toBuilder(file: string, { value, place }: Held, expected?: string): AnyBuilder {
  if (!isBuilder(value)) throw unexpected(file, place, value, expected);
  for (const method of METHODS)
    if (typeof value[method] !== 'function')
      throw new InvalidBuilderError(`${file}: ${value.constructor.name}`, `has no ${method}()`);
  return value;
}

/** Tells whether a value is a store, also when it comes from a second copy of this package. */
export function isStore(value: unknown): value is Store {
  return typeof value === 'object' && value !== null && 'newerIn' in value;
}

async function loadScript(file: string): Promise<unknown> {
  const exports = await importModule(pathToFileURL(path.resolve(file)).href);
  // A CommonJS module is the default export of itself.
  for (const { __builders__, __builder__ } of [exports, asExports(exports['default'])]) {
    if (__builders__ !== undefined) return __builders__;
    if (__builder__ !== undefined) return __builder__;
  }
  if (exports['default'] !== undefined) return exports['default'];
  throw new FileFormatError(
    file,
    'it exports no builder: export `__builder__`, a list `__builders__`, or a default',
  );
}

function asExports(value: unknown): Exports {
  return typeof value === 'object' && value !== null && !isBuilder(value) ? (value as Exports) : {};
}

function unexpected(
  file: string,
  place: string,
  value: unknown,
  expected = 'a builder or a list of builders',
): FileFormatError {
  return new FileFormatError(file, `expected ${expected}, it ${place} ${describeValue(value)}`);
}

/** Adds the name of the file to what goes wrong, where it is not there already. */
async function naming(file: string, load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await load();
  } catch (error) {
    const problem = isMaggmaError(error) ? error.message : problemOfImport(file, error);
    if (problem === undefined || problem.includes(`${file}: `)) throw error;
    throw new FileFormatError(file, problem, { cause: error });
  }
}

/** What is wrong, for errors whose stack lies inside of node and says nothing; undefined for all others. */
function problemOfImport(file: string, error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND') return error.message;
  // What tsx makes of TypeScript in a package that is CommonJS because it does not say otherwise.
  if (code === 'ERR_REQUIRE_CYCLE_MODULE' && /\.[jt]s$/i.test(file))
    return `it is an ES module in a CommonJS package: add "type": "module" to package.json, or call it ${file.replace(/([jt]s)$/i, 'm$1')}`;
  if (error.name !== 'SyntaxError') return undefined;
  const advice = /js$/i.test(file) ? ` (\`node ${file}\` shows where)` : '';
  return `it cannot be imported: ${error.message}${advice}`;
}
