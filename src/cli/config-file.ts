import { access } from 'node:fs/promises';
import path from 'node:path';
import { isMaggmaError } from '../errors/maggma-error.js';
import { FileFormatError } from '../errors/serialization-errors.js';
import { describeValue } from './describe-value.js';
import type { OptionKey, OptionSpec } from './option-table.js';
import { OPTIONS } from './option-table.js';
import { didYouMean } from './suggest.js';

/** Options from a file. */
export interface Config {
  /** As people call it: relative to the current folder. */
  readonly file: string;
  readonly options: Readonly<Partial<Record<OptionKey, unknown>>>;
  /** The builder files of the project. */
  readonly builders: readonly string[];
  /** Other files in the same folder that could have been it. */
  readonly ignored: readonly string[];
}

/** In the order in which they win. */
export const CONFIG_FILES: readonly string[] = [
  'mrun.config.json',
  'mrun.config.yaml',
  'mrun.config.yml',
  'package.json',
];

/** The key of a config file that is no option. */
const BUILDERS = 'builders';

/**
 * Reads the config file.
 *
 * @param file - Its path; without, it is looked for in the current folder and in those above.
 * @returns undefined when there is none.
 * @throws {@link FileFormatError} for a file that cannot be read, and for keys and values that are not allowed.
 */
export async function readConfig(file?: string): Promise<Config | undefined> {
  const explorer = await createExplorer();
  if (file !== undefined && !/\.(?:json|ya?ml)$/.test(file))
    throw new FileFormatError(file, 'expected a name that ends in .json, .yaml or .yml');
  const found = await naming(file, () =>
    file === undefined ? explorer.search() : explorer.load(file),
  );
  if (found === null) return undefined;
  const ignored: string[] = [];
  if (file === undefined)
    for (const other of await besides(found.filepath))
      if ((await explorer.load(other))?.config != null) ignored.push(shown(other));
  return { ...check(found.filepath, found.config), ignored };
}

async function createExplorer() {
  const { lilconfig } = await import('lilconfig');
  const { parseJson } = await import('../msonable/json-reader.js');
  const { parseYaml } = await import('../msonable/yaml-text.js');
  const report = (file: string) => (problem: string) => new FileFormatError(shown(file), problem);
  // A file without content, or with comments only, says nothing.
  const json = (file: string, text: string) => parseJson(text, report(file)) ?? {};
  const yaml = (file: string, text: string) => parseYaml(text, report(file)) ?? {};
  return lilconfig('mrun', {
    searchPlaces: [...CONFIG_FILES],
    loaders: { '.json': json, '.yaml': yaml, '.yml': yaml },
    cache: false,
  });
}

/** The config files that lie beside one and win over less. */
async function besides(file: string): Promise<string[]> {
  const others = CONFIG_FILES.slice(CONFIG_FILES.indexOf(path.basename(file)) + 1);
  const paths = others.map((other) => path.join(path.dirname(file), other));
  const exist = await Promise.all(
    paths.map((each) =>
      access(each).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, i) => exist[i]);
}

function check(file: string, content: unknown): Omit<Config, 'ignored'> {
  const name = shown(file);
  if (content === null && path.basename(file) === 'package.json')
    throw new FileFormatError(name, 'expected options in the key "mrun"');
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new FileFormatError(name, `expected options by name, it holds ${describeValue(content)}`);
  const { [BUILDERS]: builders = [], ...rest } = content as Record<string, unknown>;
  if (!Array.isArray(builders) || !builders.every((each) => typeof each === 'string'))
    throw new FileFormatError(
      name,
      `${BUILDERS}: expected a list of files, it is ${describeValue(builders)}`,
    );
  const fromFile = (each: string) => shown(path.resolve(path.dirname(file), each));
  const pathsFromFile = (value: unknown) =>
    Array.isArray(value) ? value.map(fromFile) : fromFile(value as string);
  const options: Partial<Record<OptionKey, unknown>> = {};
  for (const [key, value] of Object.entries(rest)) {
    const option = asOption(name, key);
    const spec: OptionSpec = OPTIONS[option];
    if (!spec.accepts(value))
      throw new FileFormatError(
        name,
        `${key}: expected ${spec.expected}, it is ${describeValue(value)}`,
      );
    options[option] = spec.isPath ? pathsFromFile(value) : value;
  }
  return { file: name, options, builders: builders.map(fromFile) };
}

function asOption(file: string, key: string): OptionKey {
  if (Object.hasOwn(OPTIONS, key)) return key as OptionKey;
  const keys = [...Object.keys(OPTIONS), BUILDERS];
  throw new FileFormatError(file, `there is no option "${key}"${didYouMean(key, keys)}`);
}

/** Shorter where it is: relative to the current folder. */
function shown(file: string): string {
  const relative = path.relative('', path.resolve(file));
  return relative.length < file.length || !path.isAbsolute(file) ? relative : file;
}

/** Says of which file the trouble is, when that does not say it. */
async function naming<T>(file: string | undefined, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (isMaggmaError(cause)) throw cause;
    const { code, path: culprit = file ?? 'config file', message } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'there is no such file' : `it cannot be read: ${message}`;
    throw new FileFormatError(shown(culprit), problem, { cause });
  }
}
