import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { calculateObjectSize, deserialize, serialize } from 'bson';
import { rebatch } from '../util/rebatch.js';

const FRAME_KEYS = 1000;
const DEFAULT_MEMORY_LIMIT = 32 * 1024 * 1024;

/**
 * A list of keys, written once and read once, that moves from memory to a temporary file when it grows.
 *
 * The file holds BSON documents of up to 1000 keys. It is unlinked as soon as it is open, where the system allows
 * that, so that not even a killed process leaves it behind.
 */
export class KeyPlan implements AsyncDisposable {
  readonly #memoryLimit: number;
  #pending: unknown[] = [];
  #pendingBytes = 0;
  #length = 0;
  #file: FileHandle | undefined;
  #folder: string | undefined;

  /** @param memoryLimit - How many bytes of keys are held in memory, about. */
  constructor(memoryLimit = DEFAULT_MEMORY_LIMIT) {
    this.#memoryLimit = memoryLimit;
  }

  /** How many keys were added. */
  get length(): number {
    return this.#length;
  }

  /** Adds keys at the end. */
  async add(keys: readonly unknown[]): Promise<void> {
    for (const key of keys) {
      this.#pending.push(key);
      this.#pendingBytes += sizeOf(key);
    }
    this.#length += keys.length;
    if (this.#pendingBytes > this.#memoryLimit) await this.#spill();
  }

  /** Yields all keys in the order in which they were added, in arrays of at most `size`. */
  batches(size: number): AsyncGenerator<unknown[], void, undefined> {
    return rebatch(this.#frames(), size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  async *#frames(): AsyncGenerator<readonly unknown[], void, undefined> {
    if (this.#file !== undefined) yield* readFrames(this.#file);
    yield this.#pending;
  }

  async #spill(): Promise<void> {
    this.#file ??= await this.#openFile();
    for (let at = 0; at < this.#pending.length; at += FRAME_KEYS)
      await this.#file.write(serialize({ keys: this.#pending.slice(at, at + FRAME_KEYS) }));
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  async #openFile(): Promise<FileHandle> {
    const folder = await mkdtemp(path.join(tmpdir(), 'maggma-plan-'));
    this.#folder = folder;
    const file = await open(path.join(folder, 'keys.bson'), 'wx+', 0o600);
    try {
      await rm(folder, { recursive: true });
      this.#folder = undefined;
    } catch {
      // Windows keeps open files; the folder goes when the plan is disposed.
    }
    return file;
  }
}

async function* readFrames(file: FileHandle): AsyncGenerator<unknown[], void, undefined> {
  const head = Buffer.alloc(4);
  let at = 0;
  while ((await file.read(head, 0, 4, at)).bytesRead === 4) {
    const frame = Buffer.alloc(head.readInt32LE());
    await file.read(frame, 0, frame.length, at);
    at += frame.length;
    const { keys } = deserialize(frame) as { keys: unknown[] };
    yield keys;
  }
}

function sizeOf(key: unknown): number {
  if (typeof key === 'string') return 40 + 2 * key.length;
  if (typeof key === 'object' && key !== null) return 64 + calculateObjectSize({ key });
  return 16;
}
