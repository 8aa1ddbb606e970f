import { setImmediate } from 'node:timers/promises';
import type { Doc } from '../query/document.js';
import type { SuiteBuilder } from './suite-builder.js';

/**
 * Numbers without end, until the run is over: one that does not stop its source must not keep the tests busy.
 *
 * @param deed - What each item asks for.
 */
export async function* countFrom(
  first: number,
  builder: SuiteBuilder,
  deed: (k: number) => string = () => 'copy',
): AsyncGenerator<Doc, void, undefined> {
  for (let k = first; !builder.isOver; k++) {
    yield { k, do: deed(k) };
    if (k % 100 === 0) await setImmediate();
  }
}

/** Gives some numbers, and then what comes instead of the end. */
export async function* numbersThen(
  n: number,
  then: () => Promise<never>,
): AsyncGenerator<Doc, void, undefined> {
  for (let k = 0; k < n; k++) yield { k };
  await then();
}

/** Never comes. */
export const never = (): Promise<never> => new Promise(() => {});
