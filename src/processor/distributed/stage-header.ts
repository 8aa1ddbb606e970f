import { createHmac } from 'node:crypto';
import type { AnyBuilder } from '../../builder/builder.js';
import { Builder } from '../../builder/builder.js';
import { InvalidBuilderError } from '../../errors/builder-errors.js';
import { asDict, dumps } from '../../msonable/dump.js';
import { currentFolderUrl } from '../../msonable/import-module.js';
import { parseJson } from '../../msonable/json-reader.js';
import { isRelative } from '../../msonable/module-id.js';
import type { MsonDict, PlainRecord } from '../../msonable/plain-value.js';
import { definingModules } from '../../msonable/registry.js';
import type { CodeVersions } from './code-versions.js';
import { versionsOf } from './code-versions.js';
import { sealingKey } from './keys.js';

/** How items that fail are tried again, as it is told to workers. */
export interface ItemRetries {
  readonly attempts: number;
  readonly delayMs: number;
}

/** What all chunks of a stage have in common. */
export interface StageHeader {
  /** Scripts are named by paths relative to the manager's folder. */
  readonly builder: MsonDict;
  /** What the builder is made of. */
  readonly versions: CodeVersions;
  readonly retry: ItemRetries | null;
  readonly fullRefresh: boolean;
  /** How long nothing may move in a chunk; null for no limit. */
  readonly chunkTimeoutMs: number | null;
}

/** What the plan of a stage came to, for a manager that takes it over. */
export interface PlanSize {
  /** How many items there are to build, where the builder knew. */
  readonly total: number | null;
  readonly chunks: number;
}

/**
 * Writes what workers have to know of a builder.
 *
 * @throws {@link InvalidBuilderError} when it cannot be built in chunks, or not by other processes.
 * @throws {@link SerializationError} when it cannot be written, with the path of the field.
 */
export function writeHeader(
  builder: AnyBuilder,
  retry: ItemRetries | null,
  chunkTimeoutMs: number | null = null,
): string {
  const { name } = builder.constructor;
  if (builder.prechunk === Builder.prototype.prechunk)
    throw new InvalidBuilderError(
      name,
      'cannot be distributed: implement prechunk(numberOfChunks), which cuts its work into chunks',
    );
  const store = builder
    .stores()
    .find(({ capabilities: { crossProcess, writable } }) => writable && !crossProcess);
  if (store !== undefined)
    throw new InvalidBuilderError(
      name,
      `cannot be distributed: ${store.name} cannot be shared with other processes; use a store on a server, or in a file that all workers see`,
    );
  const versions = versionsOf(definingModules(asDict(builder)));
  const outside = Object.keys(versions).find((module) => isOutside(module));
  if (outside !== undefined)
    throw new InvalidBuilderError(
      name,
      `cannot be distributed: workers look for ${outside} below the folder that they are started in, and it lies outside of this one; start from a folder above it, or put it into a package`,
    );
  const { fullRefresh } = builder;
  const header = { builder, versions, retry, fullRefresh, chunkTimeoutMs };
  return dumps(header, { base: currentFolderUrl() });
}

/** Adds to a header what the plan came to. */
export function withPlanSize(header: string, size: PlanSize): string {
  // It may be large, and is not read for that.
  return `${JSON.stringify(size).slice(0, -1)},${header.slice(1)}`;
}

/** Reads what {@link withPlanSize} added. */
export function readPlanSize(header: string): PlanSize {
  return parseJson(header) as unknown as PlanSize;
}

/** Reads what {@link writeHeader} wrote. Nothing is imported or built. */
export function readHeader(text: string): StageHeader {
  return parseJson(text) as unknown as StageHeader;
}

/** Reads the arguments in which a chunk differs. Nothing is imported or built. */
export function readChunk(text: string): PlainRecord {
  return parseJson(text) as PlainRecord;
}

/** Equal for runs of the same builders that are cut alike. It gives nothing of them away. */
export function digestOfRun(
  builders: readonly AnyBuilder[],
  numChunks: number,
  secret: Uint8Array,
): string {
  const parts = builders.map((builder) => [asDict(builder), builder.fullRefresh]);
  return createHmac('sha256', sealingKey(secret))
    .update(dumps([parts, numChunks]))
    .digest('hex');
}

/** On another drive it has no relative path. */
const isOutside = (module: string): boolean =>
  module.startsWith('file:') || (isRelative(module) && module.startsWith('../'));
