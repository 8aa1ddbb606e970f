import { setTimeout as sleep } from 'node:timers/promises';
import { FileFormatError, SerializationError } from '../errors/serialization-errors.js';
import { StoreConnectionError } from '../errors/store-errors.js';
import { encode } from '../msonable/encode.js';
import type { PlainValue } from '../msonable/plain-value.js';
import type { Store } from '../store/store.js';
import type { CommandOutput } from './command-output.js';
import { ExitCode } from './exit-code.js';
import { isStore, loadFile, toBuilder } from './load-builders.js';
import { oneLine } from './printable.js';

/** What `mrun validate` is asked for. */
export interface ValidateRequest {
  readonly files: readonly string[];
  /** Whether stores are connected to, as well. */
  readonly connect?: boolean;
  /** How long a store may take to answer. Fifteen seconds, unless told otherwise. */
  readonly timeoutMs?: number;
}

/** A little longer than the stores wait themselves, because they know why. */
const TIMEOUT_MS = 15_000;

/**
 * Checks files of builders and of stores: that they can be read, their classes and all their arguments. Nothing is
 * reached, unless `connect` says so.
 *
 * @returns 2 when something is wrong with a file, 1 when a store cannot be reached.
 */
export async function validateFiles(
  { files, connect = false, timeoutMs = TIMEOUT_MS }: ValidateRequest,
  output: CommandOutput,
): Promise<ExitCode> {
  const stores = new Map<string, Store>();
  let code: ExitCode = ExitCode.Ok;
  for (const file of files)
    try {
      for (const { name, stores: own } of await examine(file)) {
        await output.write(`${oneLine(`${file}: ${name} is valid`)}\n`);
        for (const store of own) stores.set(store.identity, store);
      }
    } catch (error) {
      output.fail(error);
      code = ExitCode.Usage;
    }
  if (!connect) return code;
  // All at once: one that does not answer must not make the others wait.
  const attempts = [...stores.values()].map((store) => ({
    store,
    problem: reach(store, timeoutMs),
  }));
  for (const { store, problem } of attempts) {
    const error = await problem;
    if (error === undefined) await output.write(`${oneLine(`${store.name}: it answers`)}\n`);
    else {
      output.fail(error);
      code ||= ExitCode.BuildFailed;
    }
  }
  return code;
}

interface Examined {
  /** Name of the class. */
  readonly name: string;
  readonly stores: readonly Store[];
}

async function examine(file: string): Promise<Examined[]> {
  const held = await loadFile(file);
  return held.map((each) => {
    const { value } = each;
    const reference = emptyReferenceIn(value);
    if (reference !== undefined)
      throw new FileFormatError(
        file,
        `"${reference}" names nothing: write $env:NAME or $file:path`,
      );
    if (isStore(value)) return { name: value.constructor.name, stores: [value] };
    const builder = toBuilder(file, each, 'a builder, a store or a list of them');
    return { name: builder.constructor.name, stores: builder.stores() };
  });
}

/** A reference to a secret that cannot mean anything. */
function emptyReferenceIn(value: unknown): string | undefined {
  const texts: string[] = [];
  try {
    collectTexts(encode(value).plain, texts);
  } catch (error) {
    // An instance of a class that cannot be written.
    if (!(error instanceof SerializationError)) throw error;
  }
  return texts.find((text) => /^\$(?:env|file):$/.test(text));
}

function collectTexts(value: PlainValue, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) collectTexts(each, texts);
}

/** Connects and closes a store. Resolves to what went wrong. */
async function reach(store: Store, timeoutMs: number): Promise<unknown> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new StoreConnectionError(store.name, `it did not answer within ${timeoutMs / 1000} s`);
  });
  try {
    await Promise.race([store.connect(), late]);
    await store.close();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    timer.abort();
    // It was cut short.
    late.catch(() => {});
  }
}
