import { readFileSync } from 'node:fs';
import type { Finished, Project } from '../cli/mrun-process.js';
import type { Planted } from './planted.js';
import { filesIn, secretsIn } from './planted.js';

const QUOTING = readFileSync(new URL('../fixtures/security/quoting-builder.mjs', import.meta.url));

/** Arguments of `mrun`, and the code that it must end with. */
export type Command = readonly [args: string, code: number];

/** The dump of a store of ours. */
export const dumpOf = (name: string, args: object, module = 'mongolike') => ({
  '@module': `maggma.stores.${module}`,
  '@class': name,
  '@version': null,
  ...args,
});
/** The dump of an object of the fixture. */
export const quoting = (name: string, args: object) => ({
  '@module': './quoting-builder.mjs',
  '@class': name,
  '@version': null,
  ...args,
});
export const jsonStore = (file: string, key = 'k') =>
  dumpOf('JSONStore', { paths: file, read_only: false, key });
export const mongoStore = (options: object) =>
  dumpOf('MongoStore', { database: 'd', collection_name: 'c', ...options });
export const mongoUriStore = (uri: string, options = {}) =>
  dumpOf('MongoURIStore', { uri, collection_name: 'c', ...options });
export const quotingBuilder = (source: object, target: object, options = {}) =>
  quoting('QuotingBuilder', { source, target, ...options });
export const inUri = ({ value }: Planted): string => encodeURIComponent(value);

/** Writes the fixture, files by name, and what sets variables by name. */
export function prepare(
  project: Project,
  files: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string>>,
): void {
  project.write('quoting-builder.mjs', QUOTING);
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
  project.write('variables.sh', lines.join(''));
  for (const [name, content] of Object.entries(files)) project.write(name, content);
}

/** Runs `mrun` with the variables set. */
export const mrun = (project: Project, args: string): Promise<Finished> =>
  project.shell(`. ./variables.sh; exec $mrun ${args}`).finished;

/** Runs commands one after the other, and says where secrets came out, and which command did not do what it should. */
export async function search(
  project: Project,
  commands: readonly Command[],
  secrets: readonly Planted[],
): Promise<{ readonly leaks: string[]; readonly surprises: string[] }> {
  const inputs = new Set(filesIn(project.folder).keys());
  const leaks: string[] = [];
  const surprises: string[] = [];
  for (const [args, code] of commands) {
    const ended = await mrun(project, args);
    const output = `${ended.stdout}${ended.stderr}`;
    if (ended.code !== code || output === '')
      surprises.push(`mrun ${args} ended with ${ended.code}: ${output}`);
    leaks.push(...secretsIn(output, secrets).map((place) => `mrun ${args}: ${place}`));
  }
  for (const [file, content] of filesIn(project.folder))
    if (!inputs.has(file))
      leaks.push(...secretsIn(content, secrets).map((place) => `${file}: ${place}`));
  return { leaks, surprises };
}
