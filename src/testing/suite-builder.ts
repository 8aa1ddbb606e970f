import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BuildStatus } from '../builder/build-report.js';
import type { BuilderOptions } from '../builder/builder.js';
import { Builder } from '../builder/builder.js';
import { arg, MSONable, option } from '../msonable/decorators.js';
import type { Doc } from '../query/document.js';
import type { Store } from '../store/store.js';
import type { UpdateResult } from '../store/store-options.js';

/** What an item asks for in its field `do`; anything else is built. */
const DEEDS: Readonly<Record<string, (doc: Doc) => unknown>> = {
  throw: ({ k }) => {
    throw new RangeError(`item ${k} is bad`, { cause: new TypeError('for a reason') });
  },
  'throw a TypeError': ({ k }) => {
    throw new TypeError(`item ${k} is of a bad type`);
  },
  'throw a text': () => {
    throw 'no error';
  },
  'throw nothing': () => {
    throw undefined;
  },
  'throw an oddity': () => {
    // It has no toString().
    throw Object.create(null);
  },
  thenable: (doc) => ({
    // biome-ignore lint/suspicious/noThenProperty: what is awaited need not be a promise.
    then(resolve: (result: Doc) => void) {
      resolve(built(doc));
    },
  }),
  reject: ({ k }) => Promise.reject(new RangeError(`item ${k} is bad`)),
  skip: () => null,
  'return nothing': () => undefined,
  promise: async (doc) => {
    await setTimeout(doc['ms'] ?? 0);
    return built(doc);
  },
  wait: () => new Promise(() => {}),
  function: ({ k }) => ({ k, f: () => k }),
  cycle: ({ k }) => {
    const doc: Doc = { k };
    doc['self'] = doc;
    return doc;
  },
  'fail once': (doc) => {
    // A file, because the second attempt may be made in another process.
    const file = path.join(doc['folder'], `failed-${doc['k']}`);
    if (existsSync(file)) return built(doc);
    writeFileSync(file, '');
    throw new RangeError(`item ${doc['k']} is bad for once`);
  },
  meet: async (doc) => {
    const { folder } = doc;
    writeFileSync(path.join(folder, 'begun'), '');
    while (existsSync(folder) && !existsSync(path.join(folder, 'go'))) await setTimeout(5);
    return built(doc);
  },
};

/** Options of {@link SuiteBuilder}. */
export interface SuiteBuilderOptions extends BuilderOptions {
  /**
   * Writes the results in the order of their items.
   * @defaultValue `false`
   */
  readonly ordered?: boolean;
  /**
   * How long one item may take, in milliseconds.
   * @defaultValue no limit
   */
  readonly timeoutMs?: number | null;
}

/** What a test wants done in other ways. Workers rebuild the builder without: it stays in the process of the run. */
export interface SuiteParts {
  connect?: () => Promise<void>;
  getItems?: () => AsyncIterable<unknown> | Iterable<unknown>;
  updateTargets?: (results: readonly unknown[]) => Promise<UpdateResult | undefined>;
  finalize?: () => Promise<void>;
}

/** Does with each item what the item says, and keeps a record of what was asked of it. */
@MSONable(import.meta.url, { module: 'maggma_ts.testing' })
export class SuiteBuilder extends Builder<unknown, unknown> {
  @arg() readonly source: Store;
  @arg() readonly target: Store;
  @option() readonly timeoutMs: number | null;

  parts: SuiteParts = {};
  /** What each call of `updateTargets` wrote. */
  written: unknown[][] = [];
  /** The status that each call of `finalize` was told. */
  finalized: BuildStatus[] = [];
  /** How often `connect` succeeded. */
  connections = 0;
  /** True when the run is over, or should be. */
  isOver = false;
  readonly #ordered: boolean;

  constructor(source: Store, target: Store, options: SuiteBuilderOptions = {}) {
    super(source, target, options);
    this.source = source;
    this.target = target;
    this.timeoutMs = options.timeoutMs ?? null;
    this.#ordered = options.ordered ?? false;
  }

  @option() override get ordered(): boolean {
    return this.#ordered;
  }

  override itemTimeoutMs(): number | null {
    return this.timeoutMs;
  }

  override async connect(): Promise<void> {
    await (this.parts.connect?.() ?? super.connect());
    this.connections++;
  }

  getItems() {
    return this.parts.getItems?.() ?? this.source.query({}, { sort: { k: 1 } });
  }

  override processItem(item: unknown): unknown {
    if (!isDocument(item)) return item;
    if (item['log']) {
      this.logger.warn(`item ${item['k']} is strange`);
      this.logger.error(`item ${item['k']} is very strange`);
    }
    const deed = DEEDS[item['do']];
    return deed === undefined ? built(item) : deed(item);
  }

  async updateTargets(results: readonly unknown[]): Promise<UpdateResult | undefined> {
    const { updateTargets } = this.parts;
    const result = updateTargets
      ? await updateTargets(results)
      : await this.target.update(results as Doc[]);
    this.written.push([...results]);
    return result;
  }

  override async finalize({ status }: { readonly status: BuildStatus }): Promise<void> {
    this.finalized.push(status);
    await this.parts.finalize?.();
  }

  /** Forgets earlier runs. */
  forget(): void {
    this.written = [];
    this.finalized = [];
    this.connections = 0;
    this.isOver = false;
  }
}

/** What comes of a document that asks for nothing. */
export function built({ _id, ...doc }: Doc): Doc {
  return { ...doc, built: true };
}

const isDocument = (item: unknown): item is Doc =>
  typeof item === 'object' && item !== null && Object.getPrototypeOf(item) === Object.prototype;
