import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const require = createRequire(import.meta.url);

/** What the pages of the docs install. */
const TOOLS = [
  'tsx',
  'typescript',
  '@types/node',
  'vitest',
  '@opentelemetry/api',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace-base',
];

/** What a command printed, on both streams in their order, and how it ended. */
export interface Ran {
  readonly output: string;
  readonly code: number | null;
}

/**
 * A temporary folder that looks like the project of somebody who installed the package, tsx and TypeScript.
 *
 * `npx` runs what is installed, without asking a registry; `npm` changes nothing and only checks what it is asked.
 */
export class UserProject implements Disposable {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'maggma-docs-')));

  constructor() {
    for (const scope of ['@types', '@opentelemetry'])
      mkdirSync(path.join(this.folder, 'node_modules', scope), { recursive: true });
    mkdirSync(path.join(this.folder, 'bin'));
    symlinkSync(root, path.join(this.folder, 'node_modules/maggma'));
    for (const name of TOOLS)
      symlinkSync(
        path.join(root, 'node_modules', name),
        path.join(this.folder, 'node_modules', name),
      );
    writeFileSync(path.join(this.folder, 'package.json'), '{"private":true,"type":"module"}\n');
    // As tsx itself starts node, without a process that does nothing else.
    const tsx = pathToFileURL(require.resolve('tsx')).href;
    const mrun = path.join(root, 'dist/cli/mrun.js');
    this.#addBin(
      'npx',
      `tool=$1; shift
case $tool in
  tsx) exec "${process.execPath}" --import "${tsx}" "$@" ;;
  mrun) exec "${process.execPath}" "${mrun}" "$@" ;;
  vitest) exec "${process.execPath}" "${path.join(root, 'node_modules/vitest/vitest.mjs')}" "$@" ;;
  *) echo "npx: $tool is not installed" >&2; exit 127 ;;
esac`,
    );
    this.#addBin(
      'npm',
      `exec "${process.execPath}" "${path.join(root, 'test/docs/npm.mjs')}" "$@"`,
    );
  }

  /** Writes a file and returns its path. */
  write(name: string, content: string): string {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  /** Runs a shell script in a folder of the project. */
  sh(script: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    return run('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: path.join(this.folder, folder),
      env: {
        ...process.env,
        PATH: `${this.folder}/bin:${process.env['PATH']}`,
        NO_COLOR: '1',
        ...env,
      },
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #addBin(name: string, script: string): void {
    const file = path.join(this.folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: string) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ output, code }));
  });
}
