import type { MaggmaError } from '../errors/maggma-error.js';
import { DeserializationError } from '../errors/serialization-errors.js';
import { setOwn } from '../util/set-own.js';
import type { PlainRecord, PlainValue } from './plain-value.js';
import { MAX_DEPTH, MAX_INTEGER_DIGITS } from './plain-value.js';

/** Makes the error for a text that is not JSON. */
export type ReportProblem = (problem: string) => MaggmaError;

const asDeserializationError: ReportProblem = (problem) => new DeserializationError('$', problem);

/** Where a value may stand, an integer that a number may not hold, or the one that JSON.parse reads otherwise than Python. */
const NEEDS_SCANNER = /(?:^|[[:,\s])(?:-?\d{16}|-0(?![.eE\d]))/;

/**
 * Reads JSON as Python's `json.loads` does.
 *
 * Integers beyond 2^53 become bigints; `NaN`, `Infinity` and `-Infinity` are accepted; of equal keys the last
 * one counts; `__proto__` is an ordinary key. Refused are a byte order mark, comments, trailing commas,
 * control characters in strings and more than 990 levels.
 *
 * @param report - Makes the error, from a text that names line and column.
 * @throws {@link DeserializationError} unless `report` makes another one.
 */
export function parseJson(
  text: string,
  report: ReportProblem = asDeserializationError,
): PlainValue {
  const fast = isDeep(text) ? undefined : parseFast(text);
  return fast ?? new Scanner(text, report).document();
}

/**
 * Reads JSON with the engine's own parser, which is several times faster, where that gives the same value.
 *
 * There is no limit to how deeply the text may be nested.
 *
 * @returns Undefined for a text that only {@link parseJson} reads right, or explains.
 */
export function parseFast(text: string): PlainValue | undefined {
  if (NEEDS_SCANNER.test(text)) return undefined;
  try {
    return JSON.parse(text) as PlainValue;
  } catch {
    // Not JSON, or one of Python's tokens.
    return undefined;
  }
}

/** Tells whether a text may be nested too deeply. JSON.parse has no limit, but whoever walks its result has. */
function isDeep(text: string): boolean {
  let depth = 0;
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (isString && unit === 0x5c /* \\ */) i++;
    else if (unit === 0x22 /* " */) isString = !isString;
    else if (isString) continue;
    else if (unit === 0x5b /* [ */ || unit === 0x7b /* { */) {
      depth++;
      if (depth > MAX_DEPTH) return true;
    } else if (unit === 0x5d /* ] */ || unit === 0x7d /* } */) depth--;
  }
  return false;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters end a run of ordinary ones
const RUN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))/y;
const ESCAPED: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const WORDS: readonly (readonly [string, PlainValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
];

class Scanner {
  readonly #text: string;
  readonly #report: ReportProblem;
  #at = 0;

  constructor(text: string, report: ReportProblem) {
    this.#text = text;
    this.#report = report;
  }

  document(): PlainValue {
    if (this.#text.startsWith('\ufeff'))
      throw this.#problem('expected a value, got a byte order mark: save the text as plain UTF-8');
    const value = this.#value(0);
    this.#take(SPACE);
    if (this.#at < this.#text.length) throw this.#problem('expected the end of the text');
    return value;
  }

  #value(depth: number): PlainValue {
    this.#take(SPACE);
    if (depth > MAX_DEPTH) throw this.#problem(`expected at most ${MAX_DEPTH} levels of nesting`);
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case '{':
        return this.#record(depth);
      case '[':
        return this.#list(depth);
      default:
        return this.#scalar();
    }
  }

  #record(depth: number): PlainRecord {
    const record: PlainRecord = {};
    this.#at++;
    for (let isFirst = true; !this.#closes('}', isFirst); isFirst = false) {
      if (this.#text[this.#at] !== '"') throw this.#problem('expected a key in double quotes');
      const key = this.#string();
      this.#take(SPACE);
      if (this.#text[this.#at] !== ':') throw this.#problem('expected ":" after the key');
      this.#at++;
      setOwn(record, key, this.#value(depth + 1));
    }
    return record;
  }

  #list(depth: number): PlainValue[] {
    const list: PlainValue[] = [];
    this.#at++;
    for (let isFirst = true; !this.#closes(']', isFirst); isFirst = false)
      list.push(this.#value(depth + 1));
    return list;
  }

  /** Goes past the end of a list or record, or past the comma before its next member. */
  #closes(bracket: string, isFirst: boolean): boolean {
    this.#take(SPACE);
    const isEnd = this.#text[this.#at] === bracket;
    if (!isEnd && isFirst) return false;
    if (!isEnd && this.#text[this.#at] !== ',') throw this.#problem(`expected "," or "${bracket}"`);
    this.#at++;
    if (isEnd) return true;
    this.#take(SPACE);
    if (this.#text[this.#at] === bracket)
      throw this.#problem(`expected a value after ",", got "${bracket}": remove the comma`);
    return false;
  }

  #string(): string {
    const start = this.#at;
    this.#at++;
    let string = '';
    for (;;) {
      string += this.#take(RUN)?.[0] ?? '';
      const next = this.#text[this.#at];
      if (next === '"') {
        this.#at++;
        return string;
      }
      if (next === undefined) {
        this.#at = start;
        throw this.#problem('expected a string, got one without an end');
      }
      const escaped = this.#take(ESCAPE);
      if (!escaped)
        throw this.#problem(
          next === '\\'
            ? 'expected one of the escapes that JSON has'
            : 'expected no control character in a string: write it as an escape',
        );
      const [, letter, code] = escaped;
      string +=
        code !== undefined
          ? String.fromCharCode(Number.parseInt(code, 16))
          : (ESCAPED[letter ?? ''] ?? letter);
    }
  }

  #scalar(): PlainValue {
    for (const [word, value] of WORDS)
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    const number = this.#take(NUMBER);
    if (number) return this.#number(number[0], number[1] !== undefined || number[2] !== undefined);
    throw this.#problem('expected a value');
  }

  #number(digits: string, isFloat: boolean): number | bigint {
    const number = Number(digits);
    if (isFloat) return number;
    if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
    if (digits.length > MAX_INTEGER_DIGITS + 1)
      throw this.#problem(
        `expected an integer of at most ${MAX_INTEGER_DIGITS} digits, got ${digits.length}`,
      );
    return BigInt(digits);
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at += match[0].length;
    return match;
  }

  #problem(problem: string): MaggmaError {
    const before = this.#text.slice(0, this.#at).split('\n');
    const column = (before.at(-1) ?? '').length + 1;
    const rest = this.#text.slice(this.#at, this.#at + 12);
    const got = rest === '' ? 'the text ends' : `there is ${JSON.stringify(rest)}`;
    return this.#report(
      `It is not valid JSON: ${problem} (line ${before.length}, column ${column}, where ${got})`,
    );
  }
}
