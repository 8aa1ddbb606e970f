import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const DEPENDENCIES = [
  'bson',
  'class-transformer',
  'import-meta-resolve',
  'reflect-metadata',
  'tslib',
  'yaml',
];

/** A folder of user projects beside an installed copy of this package that serializes and no more. */
export class UserProjects {
  readonly folder: string;

  constructor() {
    this.folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'maggma-projects-')));
    const installed = path.join(this.folder, 'node_modules', 'maggma');
    compileTo(path.join(installed, 'dist'), this.folder);
    for (const name of DEPENDENCIES) this.#link(name, this.folder);
    const files = ['decorators', 'dump', 'load', 'is-main', 'import-module', 'datetime'];
    this.write({
      'node_modules/maggma/package.json': JSON.stringify({
        name: 'maggma',
        version: '0.0.0',
        type: 'module',
        exports: './dist/index.js',
      }),
      'node_modules/maggma/dist/index.js': files
        .map((file) => `export * from './msonable/${file}.js';\n`)
        .join(''),
      'load.mjs': `
import { dumps, loadfn } from 'maggma';
const object = await loadfn(process.argv[2]);
console.log(JSON.stringify({ text: dumps(object), name: object.constructor.name, scaled: object.scale?.(2) }));
`,
    });
  }

  /** Makes tsx available to a project, as \`npm install -D tsx\` there does. */
  addTsx(project: string): void {
    this.#link('tsx', path.join(this.folder, project));
  }

  #link(name: string, project: string): void {
    const target = path.join(project, 'node_modules', name);
    mkdirSync(path.dirname(target), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), target, 'junction');
  }

  /** Writes files, given by their paths in the folder. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(this.folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** Runs a script in a fresh node and returns what it printed. */
  node(script: string, args: readonly string[] = [], cwd = this.folder): string {
    const result = spawnSync(process.execPath, [this.path(script), ...args], {
      cwd,
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (result.status !== 0) throw new Error(`${script}: ${result.stderr}`);
    return result.stdout.trim();
  }

  /** Runs a TypeScript file, as \`npx tsx\` does. */
  tsx(script: string, cwd = path.dirname(this.path(script))): string {
    const cli = createRequire(import.meta.url).resolve('tsx/cli');
    return execFileSync(process.execPath, [cli, this.path(script)], {
      cwd,
      encoding: 'utf8',
      timeout: 60_000,
    }).trim();
  }

  /** Loads a file in a fresh node. */
  load(file: string, cwd?: string): { text: string; name: string; scaled: number } {
    return JSON.parse(this.node('load.mjs', [file], cwd)) as ReturnType<UserProjects['load']>;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function compileTo(outDir: string, folder: string): void {
  const config = path.join(folder, 'tsconfig.build.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        outDir,
        rootDir: path.join(root, 'src'),
        typeRoots: [path.join(root, 'node_modules/@types')],
        noCheck: true,
      },
      references: [],
      include: ['msonable', 'errors', 'util'].map((name) => path.join(root, 'src', name)),
      exclude: [],
    }),
  );
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit' });
}
