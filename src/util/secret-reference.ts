import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { SecretReferenceError } from '../errors/option-errors.js';
import { registerSecret } from '../errors/redact.js';
import { createLogger } from './logger.js';

/** Whose value a secret is, for messages. */
export interface SecretPlace {
  /** Name of the store or builder. */
  readonly owner: string;
  /** Name of its option. */
  readonly option: string;
}

const logger = createLogger('secrets');
/** Files that were complained about. */
const complained = new Set<string>();

/**
 * Gives the secret that an option stands for: `$env:NAME` for the environment variable, `$file:path` for the content of
 * the file without the line end that closes it. Any other text is the secret itself; one that begins like a reference is
 * written with a second dollar, `$$env:…`.
 *
 * The value is masked in everything that this process prints, logs or reports from then on. Call it where the secret is
 * used, in `open()` or `connect()`, and do not keep the value in a property: what is written to files must stay the
 * reference.
 *
 * @param text - The value of the option.
 * @param place - Whose option it is.
 * @throws {@link SecretReferenceError} when the variable or file is not there, cannot be read, or is empty.
 *
 * @example
 * ```ts
 * const token = await resolveSecret('$env:API_TOKEN', { owner: 'ForecastBuilder', option: 'token' });
 * ```
 */
export async function resolveSecret(text: string, place: SecretPlace): Promise<string> {
  const value = await resolveReference(text, place);
  registerSecret(value);
  return value;
}

/** The same for a value that need not be masked, such as the name of a user. */
export async function resolveReference(text: string, place: SecretPlace): Promise<string> {
  const [, dollars = '', kind, where = ''] = /^(\$+)(env|file):(.*)$/s.exec(text) ?? [];
  if (kind === undefined) return text;
  if (dollars.length > 1) return text.slice(1);
  const fail: Fail = (problem, options) => new SecretReferenceError(place, text, problem, options);
  if (where === '')
    throw fail(`it names nothing: write ${kind === 'env' ? '$env:NAME' : '$file:path'}`);
  return kind === 'env' ? readVariable(where, fail) : readSecretFile(where, fail);
}

type Fail = (problem: string, options?: ErrorOptions) => SecretReferenceError;

function readVariable(name: string, fail: Fail): string {
  const value = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
  if (value === undefined)
    throw fail(
      `the environment variable ${name} is not set: set it where the program is started (a value that itself begins with "$env:" is written "$$env:…")`,
    );
  if (value === '') throw fail(`the environment variable ${name} is empty: give it a value`);
  return value;
}

async function readSecretFile(name: string, fail: Fail): Promise<string> {
  const file = path.resolve(name);
  let content: string;
  try {
    await using handle = await open(file);
    content = await handle.readFile('utf8');
    await complainIfOpen(file, handle);
  } catch (cause) {
    throw fail(problemOf(file, cause as NodeJS.ErrnoException), { cause });
  }
  const value = content.replace(/\r?\n$/, '');
  if (value === '') throw fail(`the file ${file} is empty: write the secret into it`);
  return value;
}

function problemOf(file: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT')
    return `there is no file ${file}: make it, or start the program in the folder that the path is relative to`;
  if (code === 'EACCES')
    return `the file ${file} may not be read by this user: change its owner or mode`;
  return `the file ${file} cannot be read: ${message}`;
}

/** As ssh has it, our own files only: what others own, they may have meant to show. */
async function complainIfOpen(file: string, handle: FileHandle): Promise<void> {
  if (complained.has(file)) return;
  const stats = await handle.stat();
  if (!stats.isFile() || stats.uid !== process.getuid?.() || (stats.mode & 0o077) === 0) return;
  complained.add(file);
  logger.warn(`The secret in ${file} can be read by other users: chmod 600 ${file}`);
}
