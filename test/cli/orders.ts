import type { Project } from './mrun-process.js';

const JSON_STORE = {
  '@module': 'maggma.stores.mongolike',
  '@class': 'JSONStore',
  '@version': null,
};

/** What an item does; see the fixture `obeying-builder.mjs`. */
export type Deed =
  | ('loop' | 'wait' | 'begin' | 'pause')
  | ('throw' | 'recover' | 'exit' | 'hoard' | 'warn');

/**
 * Writes a file with a builder whose items, with the keys 0, 1, …, do what they are told.
 *
 * @param deeds - One for each item; null for nothing.
 * @param options - Arguments of the builder.
 * @param name - The file; its source and target are named after it.
 * @returns The name of the file.
 */
export function writeOrders(
  project: Project,
  deeds: readonly (Deed | null)[],
  options: object = {},
  name = 'b',
): string {
  project.write(
    `${name}-orders.json`,
    deeds.map((deed, task_id) => ({ task_id, ...(deed && { do: deed }) })),
  );
  return project.write(`${name}.json`, {
    '@module': './obeying-builder.mjs',
    '@class': 'ObeyingBuilder',
    '@version': null,
    source: { ...JSON_STORE, paths: `${name}-orders.json` },
    target: { ...JSON_STORE, paths: `${name}-target.json`, read_only: false },
    ...options,
  });
}
