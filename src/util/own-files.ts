import { existsSync, readFileSync } from 'node:fs';

type Versions = Readonly<Record<string, string>>;

interface OwnManifest {
  readonly name: string;
  readonly version: string;
  readonly devDependencies: Versions;
  /** Missing where this package is bundled into another one. */
  readonly peerDependencies?: Versions;
}

/** The folder of this package, wherever in it the code that runs lies: as sources, compiled, or bundled. */
export const PACKAGE_ROOT: URL = enclosing(new URL('./', import.meta.url));

const runs = import.meta.url.slice(PACKAGE_ROOT.href.length).split('/')[0];

/** The folder of the code that runs. */
const OWN_CODE = new URL(`${runs}/`, PACKAGE_ROOT).href;

/** The module that defines all classes of this package, in the code that runs. */
export const OWN_INDEX = `${OWN_CODE}index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;

/**
 * A module that plain Node can run, which is what workers are, also when this process runs the sources.
 *
 * @param name - One of those that `bundle.mjs` names, e.g. `index`.
 * @returns Its `file:` URL.
 */
export function runnable(name: string): URL {
  return new URL(`dist/${name}.js`, PACKAGE_ROOT);
}

/**
 * Where a worker, which is plain Node, finds what a module defines.
 *
 * @param url - `file:` URL of a module: where this process runs the sources of the package, one of them is found in what
 *   was built of it.
 */
export function runnableUrl(url: string): string {
  if (!url.startsWith(OWN_CODE) || !url.endsWith('.ts')) return url;
  return runnable(url.startsWith(`${OWN_CODE}testing/`) ? 'testing/index' : 'index').href;
}

/** What the `package.json` of this package says. */
export function ownManifest(): OwnManifest {
  return JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')) as OwnManifest;
}

function enclosing(folder: URL): URL {
  const parent = new URL('../', folder);
  const isFound = existsSync(new URL('package.json', folder)) || parent.href === folder.href;
  return isFound ? folder : enclosing(parent);
}
