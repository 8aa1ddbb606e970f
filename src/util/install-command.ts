import { ownManifest } from './own-files.js';

/**
 * Says how optional packages of ours are installed, each in a version that will do: `npm install bullmq@6.7.0 ioredis@5`.
 *
 * @param names - Of packages, as in our `peerDependencies`.
 */
export function installCommand(...names: readonly string[]): string {
  const ranges = peerRanges();
  const wanted = names.map((name) => {
    const range = ranges[name];
    // A shell may take `^` for something else; the newest of a major version will do as well.
    return range === undefined ? name : `${name}@${range.replace(/^\^(\d+)\..*$/, '$1')}`;
  });
  return `npm install ${wanted.join(' ')}`;
}

function peerRanges(): Readonly<Record<string, string>> {
  try {
    return ownManifest().peerDependencies ?? {};
  } catch {
    // Bundled with something else: the command does without versions then.
    return {};
  }
}
