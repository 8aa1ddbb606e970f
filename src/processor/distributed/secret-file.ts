import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { SecretError } from '../../errors/distributed-errors.js';
import { isLoopback } from './engine-url.js';

const SECRET_BYTES = 32;
/** Permissions of anybody but the owner. */
const OTHERS = 0o077;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Finds the secret of a run: in the file that was given, or that `MAGGMA_SECRET_FILE` names; on this machine alone, one of
 * the user's own, which is made when it is first needed.
 *
 * @throws {@link SecretError} when the file is not a secret, others can read it, or there must be one and is none.
 */
export function findSecret(url: URL, file = process.env['MAGGMA_SECRET_FILE']): Uint8Array {
  if (file !== undefined && file !== '') return readSecret(file);
  if (isLoopback(url)) return usersOwnSecret();
  throw new SecretError(
    `${url.protocol}//${url.host} can be reached from other machines, so a secret is needed: make one with \`mrun keygen FILE\`, and pass it as \`secretFile\` (or MAGGMA_SECRET_FILE) to the manager and to all workers`,
  );
}

/**
 * Makes a secret for manager and workers, which only its owner can read. An existing file stays as it is.
 *
 * @throws {@link SecretError} when the file exists, or cannot be written.
 */
export function makeSecretFile(file: string): void {
  try {
    writeFileSync(file, newSecret(), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new SecretError(`${file}: the secret cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Reads a secret.
 *
 * @throws {@link SecretError} also when anybody but the owner can read it.
 */
export function readSecret(file: string): Uint8Array {
  const text = readOwn(file).trim();
  if (BASE64.test(text)) return Buffer.from(text, 'base64');
  throw new SecretError(
    `${file}: expected ${SECRET_BYTES} random bytes as base64, as \`mrun keygen FILE\` writes them`,
  );
}

/** Two terminals of one user work together without ceremony, and nobody else gets in. */
function usersOwnSecret(): Uint8Array {
  const folder = runtimeFolder();
  const file = path.join(folder, 'secret');
  if (!existsSync(file)) makeComplete(folder, file);
  return readSecret(file);
}

function makeComplete(folder: string, file: string): void {
  const temporary = path.join(folder, `.secret.${process.pid}.${randomBytes(4).toString('hex')}`);
  try {
    writeFileSync(temporary, newSecret(), { flag: 'wx', mode: 0o600 });
    // Complete from its first moment, and whoever comes second keeps what the first one made.
    linkSync(temporary, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new SecretError(`${file}: the secret cannot be written: ${messageOf(cause)}`, {
        cause,
      });
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A folder of the user's own, which is not trusted when somebody else may have made it. */
function runtimeFolder(): string {
  const { uid, username } = userInfo();
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const folder = runtime
    ? path.join(runtime, 'maggma')
    : path.join(tmpdir(), `maggma-${uid < 0 ? username : uid}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SecretError(`${folder} cannot be made: ${messageOf(cause)}`, { cause });
  }
  const { mode, uid: owner } = lstatSync(folder);
  const isOwn = process.platform === 'win32' || (owner === uid && (mode & OTHERS) === 0);
  if (!isOwn || !lstatSync(folder).isDirectory())
    throw new SecretError(
      `${folder} is not a folder of yours alone: remove it, or pass a \`secretFile\``,
    );
  return folder;
}

function readOwn(file: string): string {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (cause) {
    throw new SecretError(`${file}: the secret cannot be read: ${messageOf(cause)}`, { cause });
  }
  try {
    // Of what was opened, not of what has its name by now.
    const { mode } = fstatSync(fd);
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
      throw new SecretError(
        `${file}: others can read this secret (mode ${(mode & 0o777).toString(8)}): make a new one with \`mrun keygen FILE\`, or \`chmod 600 ${file}\` if nobody did`,
      );
    return readFileSync(fd, 'utf8');
  } catch (cause) {
    if (cause instanceof SecretError) throw cause;
    throw new SecretError(`${file}: the secret cannot be read: ${messageOf(cause)}`, { cause });
  } finally {
    closeSync(fd);
  }
}

const newSecret = (): string => `${randomBytes(SECRET_BYTES).toString('base64')}\n`;

const messageOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);
