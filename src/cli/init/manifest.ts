import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ProjectFolderError } from '../../errors/project-errors.js';
import { ownManifest } from '../../util/own-files.js';
import type { Language } from './project-files.js';

type Versions = Readonly<Record<string, string>>;

/** The `package.json` of a new project. */
export interface Manifest {
  readonly name: string;
  readonly private: true;
  readonly type: 'module';
  readonly scripts: Readonly<Record<ScriptName, string>>;
  readonly dependencies: Versions;
  readonly devDependencies?: Versions;
}

/** A `package.json` that somebody else wrote. */
export interface ExistingManifest {
  readonly type?: unknown;
  readonly scripts?: Versions;
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
}

type ScriptName = 'test' | 'build';

const SCRIPTS: Readonly<Record<Language, Manifest['scripts']>> = {
  ts: {
    build: 'tsx dump.ts && mrun -v builder.json',
    // The shell, or a later Node, finds the files; Node 20 looks for no TypeScript by itself.
    test: 'tsc && node --import tsx --test *.test.ts',
  },
  js: { build: 'node dump.js && mrun -v builder.json', test: 'node --test' },
};
const TOOLS = ['@types/node', 'tsx', 'typescript'];

/**
 * Describes a new project.
 *
 * @param folder - Its name becomes that of the package, as far as npm allows it.
 */
export function createManifest(folder: string, language: Language): Manifest {
  const own = ownManifest();
  return {
    name: packageName(folder, own.name),
    private: true,
    type: 'module',
    scripts: SCRIPTS[language],
    dependencies: { [own.name]: `^${own.version}` },
    ...(language === 'ts' && {
      devDependencies: Object.fromEntries(
        TOOLS.map((name) => [name, own.devDependencies[name] ?? '*']),
      ),
    }),
  };
}

/**
 * Reads the `package.json` that is in a folder already.
 *
 * @throws {@link ProjectFolderError} for one that cannot be read.
 */
export function readManifest(folder: string): ExistingManifest | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(folder, 'package.json'), 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // A file in the place of the folder is found when the project is written.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ProjectFolderError(folder, message, { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    throw new SyntaxError('expected an object');
  } catch (cause) {
    const { message } = cause as SyntaxError;
    throw new ProjectFolderError(folder, `its package.json is not valid: ${message}`, { cause });
  }
}

/** The commands that install what the project needs, and add to an existing `package.json` what it lacks. */
export function installSteps(wanted: Manifest, existing: ExistingManifest | undefined): string[] {
  if (existing === undefined) return ['npm install'];
  const scripts = Object.entries(wanted.scripts)
    .filter(([name]) => isFree(name, existing))
    .map(([name, body]) => `"scripts.${name}=${body}"`);
  const settings = [...(existing.type === wanted.type ? [] : [`type=${wanted.type}`]), ...scripts];
  const present = { ...existing.dependencies, ...existing.devDependencies };
  const absent = (versions: Versions = {}) =>
    Object.keys(versions).filter((name) => !Object.hasOwn(present, name));
  const tools = absent(wanted.devDependencies);
  return [
    ...(settings.length > 0 ? [`npm pkg set ${settings.join(' ')}`] : []),
    ['npm install', ...absent(wanted.dependencies)].join(' '),
    ...(tools.length > 0 ? [`npm install -D ${tools.join(' ')}`] : []),
  ];
}

/** The command that does what a script of the project does, also when its name is taken. */
export function scriptCommand(
  name: ScriptName,
  wanted: Manifest,
  existing: ExistingManifest | undefined,
): string {
  const body = wanted.scripts[name];
  if (existing !== undefined && !isFree(name, existing) && existing.scripts?.[name] !== body)
    return `npm exec -c "${body}"`;
  return name === 'test' ? 'npm test' : `npm run ${name}`;
}

/** True for a script that is not there, or only the one that `npm init` writes. */
function isFree(name: string, { scripts }: ExistingManifest): boolean {
  return scripts?.[name]?.includes('no test specified') ?? true;
}

function packageName(folder: string, own: string): string {
  const name = folder
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, 200);
  // npm refuses the name of a package that the project depends on.
  return ['', own, 'node_modules', ...TOOLS].includes(name) ? `${own}-project` : name;
}
