import type { AnyBuilder } from '../builder/builder.js';
import { SerializationError } from '../errors/serialization-errors.js';
import { encode } from '../msonable/encode.js';
import { printJson } from '../msonable/json-writer.js';
import type { MsonDict, PlainRecord, PlainValue } from '../msonable/plain-value.js';
import type { Store } from '../store/store.js';
import type { LoadedFile } from './load-builders.js';

/** An object that was built from a file. */
export interface ShownObject {
  readonly class: string;
  /** Absent, as the next ones, for a class that cannot be written. */
  readonly module?: string;
  readonly version?: string | null;
  /** Without those that say nothing; secrets are masked. */
  readonly options?: PlainRecord;
}

/** A store of a builder. */
export interface ShownStore extends ShownObject {
  readonly name: string;
}

/** A builder as people and programs want to see it. */
export interface ShownBuilder extends ShownObject {
  readonly file: string;
  readonly sources: readonly ShownStore[];
  readonly targets: readonly ShownStore[];
  /** Numbers, from 1, of the builders before it whose targets it reads: it is skipped when they fail. */
  readonly reads: readonly number[];
}

/** Describes builders with their stores, in their order. */
export function describeBuilders(files: readonly LoadedFile[]): ShownBuilder[] {
  const before: AnyBuilder[] = [];
  return files.flatMap(({ file, builders }) =>
    builders.map((builder) => {
      const { sources, targets } = builder;
      const reads = before.flatMap((each, i) => (readsFrom(builder, each) ? [i + 1] : []));
      before.push(builder);
      return {
        ...describe(builder, [...sources, ...targets, sources, targets]),
        file,
        sources: sources.map(describeStore),
        targets: targets.map(describeStore),
        reads,
      };
    }),
  );
}

function readsFrom({ sources }: AnyBuilder, { targets }: AnyBuilder): boolean {
  const written = new Set(targets.flatMap((store) => store.collections));
  return sources.some((store) => store.collections.some((each) => written.has(each)));
}

const describeStore = (store: Store): ShownStore => ({ ...describe(store), name: store.name });

/**
 * @param shownElsewhere - What is left out of the options.
 */
function describe(object: object, shownElsewhere: readonly unknown[] = []): ShownObject {
  const name = object.constructor.name;
  try {
    const {
      '@module': module,
      '@class': _,
      '@version': version,
      ...all
    } = masked(object) as MsonDict;
    const others = shownElsewhere.map((value) => printJson(masked(value)));
    const options = Object.entries(all).filter(
      ([, value]) => value !== null && !others.includes(printJson(value)),
    );
    return { class: name, module, version, options: Object.fromEntries(options) };
  } catch (error) {
    if (error instanceof SerializationError) return { class: name };
    throw error;
  }
}

const masked = (value: unknown): PlainValue => encode(value, { secrets: 'mask' }).plain;
