import { readFileSync } from 'node:fs';
import { parseJson } from '../../src/msonable/json-reader.js';

const folder = new URL('../golden/', import.meta.url);

/** A file of `test/golden`, as its bytes. */
export function goldenBytes(name: string): Buffer {
  return readFileSync(new URL(name, folder));
}

/** A file of `test/golden`, read as Python's JSON. */
export function golden<T>(name: string): T {
  return parseJson(goldenBytes(name).toString('utf8')) as T;
}

/**
 * One text for all JSON that means the same: no space between tokens, and `1.0` as `1` (a number of JavaScript
 * does not remember how it was written).
 */
export function canonical(json: string): string {
  return json.replace(
    /("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|\s+/g,
    (_, string?: string, number?: string) => string ?? (number ? canonicalNumber(number) : ''),
  );
}

function canonicalNumber(text: string): string {
  if (!/[.eE]/.test(text)) return text;
  const number = Number(text);
  return Number.isSafeInteger(number) && !Object.is(number, -0) ? String(number) : text;
}

/** Tally of a golden file. Prints one line and knows whether every case went as it was to go. */
export class Tally {
  readonly #name: string;
  readonly #differences: Readonly<Record<string, string>>;
  readonly #passed: string[] = [];
  readonly #deliberate: string[] = [];
  readonly #others: string[] = [];

  /** @param differences - Name of a case → why it differs from Python on purpose. */
  constructor(name: string, differences: Readonly<Record<string, string>>) {
    this.#name = name;
    this.#differences = differences;
  }

  /**
   * Counts one case. A case that is listed as different must not agree, and the others must.
   *
   * @param problem - Null when the case agrees, else what was wrong.
   */
  count(name: string, problem: string | null): void {
    const isListed = Object.hasOwn(this.#differences, name);
    if (problem === null && !isListed) this.#passed.push(name);
    else if (problem !== null && isListed) this.#deliberate.push(name);
    else this.#others.push(`${name}: ${problem ?? 'is listed as a difference but agrees'}`);
  }

  /** What must be true at the end: all cases counted, none unexpected, none listed that does not exist. */
  report(total: number): { counted: number; others: string[]; notFound: string[] } {
    const passed = this.#passed.length;
    const deliberate = this.#deliberate.length;
    console.log(
      `${this.#name}: ${passed} pass, ${deliberate} deliberate differences, ${this.#others.length} others (of ${total})`,
    );
    const seen = new Set([...this.#passed, ...this.#deliberate]);
    return {
      counted: passed + deliberate,
      others: this.#others,
      notFound: Object.keys(this.#differences).filter((name) => !seen.has(name)),
    };
  }
}
