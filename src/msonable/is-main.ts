import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const EXTENSIONS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];

/**
 * Tells whether a module is the script that node was started with.
 *
 * A file that declares a builder and also runs it asks this first: `mrun` and workers import the file for the
 * class and must not start the run again.
 *
 * @param url - The module's `import.meta.url`.
 *
 * @example
 * ```ts
 * if (isMain(import.meta.url)) await new ScaleBuilder(source, target).run();
 * ```
 */
export function isMain(url: string): boolean {
  const script = process.argv[1];
  if (!isMainThread || script === undefined || !url.startsWith('file:')) return false;
  const file = realpath(fileURLToPath(url.replace(/[?#].*$/, '')));
  const started = path.resolve(script);
  return EXTENSIONS.some((extension) => realpath(started + extension) === file);
}

function realpath(file: string): string | null {
  return existsSync(file) ? realpathSync(file) : null;
}
