import path from 'node:path';
import { isMaggmaError } from '../../errors/maggma-error.js';
import type { CommandOutput } from '../command-output.js';
import { ExitCode } from '../exit-code.js';
import type { ExistingManifest } from './manifest.js';
import { createManifest, installSteps, readManifest, scriptCommand } from './manifest.js';
import type { Language } from './project-files.js';
import { projectFiles } from './project-files.js';
import { writeProject } from './write-project.js';

/** What `mrun init` is asked for. */
export interface InitRequest {
  /** Where the project goes; made when it is not there. */
  readonly folder: string;
  /** TypeScript, unless told otherwise. */
  readonly language?: Language;
}

/** Makes a project that runs as it stands, and says what to do next. Nothing is ever overwritten. */
export async function initProject(
  { folder, language = 'ts' }: InitRequest,
  output: CommandOutput,
): Promise<ExitCode> {
  const root = path.resolve(folder);
  try {
    const existing = readManifest(root);
    const wanted = createManifest(path.basename(root), language);
    const test = scriptCommand('test', wanted, existing);
    const build = scriptCommand('build', wanted, existing);
    const files = projectFiles(language, { name: wanted.name, test, build });
    if (existing === undefined) files.set('package.json', `${JSON.stringify(wanted, null, 2)}\n`);
    writeProject(root, files);
    const steps = [...installSteps(wanted, existing), test, build];
    await output.write(describe(root, [...files.keys()], steps, existing));
    return ExitCode.Ok;
  } catch (error) {
    if (!isMaggmaError(error)) throw error;
    output.fail(error);
    return ExitCode.Usage;
  }
}

function describe(
  root: string,
  files: readonly string[],
  steps: readonly string[],
  existing: ExistingManifest | undefined,
): string {
  const lines = [`Made in ${root}:`, ...[...files].sort().map((name) => `  ${name}`)];
  if (existing !== undefined)
    lines.push('', 'package.json is left as it was; the commands below add what it lacks.');
  const folder = path.relative(process.cwd(), root);
  const there = folder === '' ? [] : [`cd ${/\s/.test(folder) ? `"${folder}"` : folder}`];
  lines.push('', 'Next:', ...[...there, ...steps].map((step) => `  ${step}`));
  return `${lines.join('\n')}\n`;
}
