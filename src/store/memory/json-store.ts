import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { TextDecoder } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { InvalidOptionError } from '../../errors/option-errors.js';
import {
  InvalidDocumentError,
  StoreConflictError,
  StoreConnectionError,
} from '../../errors/store-errors.js';
import { arg, MSONable, option } from '../../msonable/decorators.js';
import { pythonPath } from '../../msonable/foreign.js';
import type { Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import { assertBoolean, assertOneOf } from '../../util/assert-option.js';
import { writeFileAtomic } from '../../util/atomic-write.js';
import { withFileLock } from '../../util/file-lock.js';
import type { ClaimBoard } from '../claim-board.js';
import { ClaimFile } from '../claim-file.js';
import { assertEachHas, lastOfEachKey } from '../document.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { Refusal } from '../store-options.js';
import { assertPrintable, parseDocuments, printDocuments } from './json-documents.js';
import type { MemoryChange } from './memory-collection.js';
import type { MemoryStoreOptions } from './memory-store.js';
import { MemoryStore } from './memory-store.js';

/** Options of {@link JSONStore}. */
export interface JSONStoreOptions extends Omit<MemoryStoreOptions, 'collectionName'> {
  /**
   * False lets the store write its file.
   * @defaultValue `true`
   */
  readonly readOnly?: boolean | undefined;
  /**
   * The encoding of the files, under a name that `TextDecoder` knows; only UTF-8 can be written.
   * @defaultValue `null`: UTF-8
   */
  readonly encoding?: string | null | undefined;
  /**
   * When the file is written: after each change, or once when the store is closed. The latter is faster for many
   * changes, and loses them when the process dies.
   * @defaultValue `'update'`
   */
  readonly flush?: 'update' | 'close' | undefined;
  /**
   * Kept for Python, which hands it to `orjson`; it has no effect here.
   * @defaultValue `null`
   */
  readonly serializationOption?: number | null | undefined;
  /**
   * Kept for Python, which hands it to `orjson`; it has no effect here.
   * @defaultValue `null`
   */
  readonly serializationDefault?: unknown;
}

/** What a file held when it was last read or written. */
interface Seen {
  readonly size: number;
  readonly modifiedMs: number;
  readonly digest: string;
}

/**
 * Documents in a JSON file, or read from several, also gzipped ones (`.gz`).
 *
 * The files are read by `connect()`; a single one is written again, whole and atomically, after each change. Types that
 * JSON lacks are kept as extended JSON. A change that somebody else made to the file meanwhile is never overwritten. For
 * more than some 50 000 documents use a database.
 *
 * @example
 * ```ts
 * const store = new JSONStore('materials.json', { key: 'material_id', readOnly: false });
 * ```
 */
@MSONable(import.meta.url, {
  module: 'maggma.stores.mongolike',
  aliases: ['maggma.stores'],
  version: '0.74.0',
  omit: ['collectionName'],
})
export class JSONStore<T extends object = Doc> extends MemoryStore<T> {
  /** The files. */
  @arg() readonly paths: readonly string[];
  /** Whether changes are refused. */
  @option() readonly readOnly: boolean;
  /** Python's; without effect here. */
  @option() readonly serializationOption: number | null;
  /** Python's; without effect here. */
  @option() readonly serializationDefault: unknown;
  /** The encoding of the files. */
  @option() readonly encoding: string | null;
  /** When the file is written. */
  @option({ write: 'given' }) readonly flush: 'update' | 'close';

  #loaded = false;
  #changed = false;
  /** Undefined while there is no file. */
  #seen: Seen | undefined;

  /**
   * @param paths - The file, or the files; relative ones are seen from the working directory of the process.
   * @param options - As {@link JSONStoreOptions} says.
   */
  constructor(paths: string | readonly string[], options: JSONStoreOptions = {}) {
    super(options);
    const { readOnly = true, encoding, flush = 'update' } = options;
    const list = toPaths(paths);
    assertBoolean('readOnly', readOnly);
    assertOneOf('flush', flush, ['update', 'close']);
    if (!readOnly && list.length > 1)
      throw new InvalidOptionError('paths', 'a single file, because readOnly is false', paths);
    const { encoding: canonical } = decoderFor(encoding ?? 'utf-8');
    if (!readOnly && canonical !== 'utf-8')
      throw new InvalidOptionError('encoding', 'UTF-8, because readOnly is false', encoding);
    this.paths = Object.freeze(list);
    this.readOnly = readOnly;
    this.encoding = encoding ?? null;
    this.flush = flush;
    this.serializationOption = options.serializationOption ?? null;
    this.serializationDefault = options.serializationDefault ?? null;
  }

  override get name(): string {
    return `json://${this.paths.join(',')}`;
  }

  override get identity(): string {
    return `file:${this.paths.map((file) => path.resolve(file)).join(',')}`;
  }

  override get collections(): readonly string[] {
    return this.paths.map((file) => `file:${path.resolve(file)}`);
  }

  override get capabilities(): StoreCapabilities {
    return {
      ...super.capabilities,
      writable: !this.readOnly,
      removal: !this.readOnly,
    };
  }

  override claimBoard(): ClaimBoard | null {
    const [file = ''] = this.paths;
    return this.readOnly ? null : new ClaimFile(`${path.resolve(file)}.claim`, this.name);
  }

  protected override async open({ forceReset }: { readonly forceReset: boolean }): Promise<void> {
    if (this.#loaded && !forceReset) return;
    this.collection.clear();
    for (const file of this.paths) await this.#load(file);
    this.#loaded = true;
  }

  protected override async shut(): Promise<void> {
    if (this.#changed) await this.#save();
  }

  protected override async replace(
    docs: Doc[],
    key: readonly string[],
  ): Promise<readonly Refusal[]> {
    // What the file could not give back is refused here, also when it is written later.
    assertEachHas(docs, this.key);
    for (const [i, doc] of docs.entries()) assertPrintable(doc, docs.length > 1 ? `$[${i}]` : '$');
    await this.#change(this.collection.planReplace(docs, key));
    return [];
  }

  protected override async remove(filter: Filter): Promise<number> {
    const changes = this.collection.planRemove(filter);
    if (changes.length > 0) await this.#change(changes);
    return changes.length;
  }

  async #change(changes: readonly MemoryChange[]): Promise<void> {
    this.collection.apply(changes);
    this.#changed = true;
    if (this.flush === 'close') return;
    try {
      await this.#save();
    } catch (error) {
      // What could not be written must not look as if it were stored.
      this.collection.revert(changes);
      this.#changed = false;
      throw error;
    }
  }

  async #load(file: string): Promise<void> {
    const bytes = this.#read(file);
    if (bytes === undefined) return;
    const fail = (problem: string) => new StoreConnectionError(this.name, `${file}: ${problem}`);
    const docs = parseDocuments(this.#decode(file, bytes), this.#stamp, fail);
    try {
      this.collection.apply(this.#planLoad(docs));
    } catch (error) {
      throw error instanceof InvalidDocumentError ? fail(error.message) : error;
    }
  }

  /** One file is taken as it is; of several, a later one replaces what earlier ones have under the same key. */
  #planLoad(docs: readonly Doc[]): MemoryChange[] {
    assertEachHas(docs, this.key);
    if (this.paths.length === 1) return this.collection.planInsert(docs);
    return this.collection.planReplace(lastOfEachKey(docs, [this.key]), [this.key]);
  }

  /** Reads a file and remembers what was seen; a writable store may have none yet. */
  #read(file: string): Buffer | undefined {
    try {
      const bytes = readFileSync(file);
      this.#seen = see(file, bytes);
      return bytes;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#seen = undefined;
      if (code === 'ENOENT' && !this.readOnly) return undefined;
      const problem = code === 'ENOENT' ? `there is no file ${path.resolve(file)}` : message;
      throw new StoreConnectionError(this.name, problem, { cause: error });
    }
  }

  #decode(file: string, bytes: Buffer): string {
    try {
      const plain = isGzip(file) ? gunzipSync(bytes) : bytes;
      return decoderFor(this.encoding ?? 'utf-8').decode(plain);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new StoreConnectionError(this.name, `${file} cannot be decoded: ${problem}`, {
        cause: error,
      });
    }
  }

  async #save(): Promise<void> {
    const [file = ''] = this.paths;
    // Everything that can go wrong with the documents does so before the file is touched.
    const text = printDocuments(this.#documents(), this.#stamp);
    const bytes = isGzip(file) ? gzipSync(text) : Buffer.from(text);
    const conflict = (problem: string) => new StoreConflictError(this.name, problem);
    await withFileLock(
      file,
      () => {
        if (this.#isForeign(file))
          throw conflict('somebody else changed the file; connect({ forceReset: true }) reads it');
        writeFileAtomic(file, bytes);
        this.#seen = see(file, bytes);
      },
      conflict,
    );
    this.#changed = false;
  }

  /** An `_id` that the store made up is its own business. */
  *#documents(): Generator<Doc, void, undefined> {
    for (const { doc, ownId } of this.collection.entries()) {
      const { _id, ...rest } = doc;
      yield ownId ? rest : doc;
    }
  }

  /** Whether the file holds anything else than what was last read or written. */
  #isForeign(file: string): boolean {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined || this.#seen === undefined) return stat !== this.#seen;
    const { size, modifiedMs, digest } = this.#seen;
    if (stat.size === size && stat.mtimeMs === modifiedMs) return false;
    return digestOf(readFileSync(file)) !== digest;
  }

  get #stamp(): { field: string; asDates: boolean } {
    return { field: this.lastUpdatedField, asDates: this.lastUpdatedType === 'datetime' };
  }
}

const isGzip = (file: string): boolean => file.toLowerCase().endsWith('.gz');

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The names of the files; Python may also write them as `pathlib.Path`. */
function toPaths(paths: unknown): string[] {
  const list = (Array.isArray(paths) ? paths : [paths]).map(pythonPath);
  if (list.length === 0 || list.some((file) => !file))
    throw new InvalidOptionError('paths', 'a file name or a list of them', paths);
  return list as string[];
}

function see(file: string, bytes: Uint8Array): Seen {
  const { size, mtimeMs } = statSync(file);
  return { size, modifiedMs: mtimeMs, digest: digestOf(bytes) };
}

function decoderFor(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  } catch {
    throw new InvalidOptionError('encoding', 'an encoding such as "utf-8"', encoding);
  }
}
