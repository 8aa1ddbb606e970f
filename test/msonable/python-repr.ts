import { Binary, Code, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson';

/** A call in a repr that stands for no value of ours, e.g. `Regex('^a', 0)`. */
export interface UnknownCall {
  readonly call: string;
  readonly args: readonly unknown[];
}

/**
 * The value that Python printed with `repr`: literals, containers, and the calls of dates and BSON values.
 *
 * @returns undefined for a repr that says nothing, such as `<Simple object at 0x...>` or numpy's.
 */
export function fromRepr(text: string): unknown {
  try {
    const reader = new Reader(text);
    const value = reader.value();
    return reader.isAtEnd() ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const NAMES: Readonly<Record<string, unknown>> = {
  None: null,
  True: true,
  False: false,
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
};

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    this.#match(/\s*/y);
    return this.#at === this.#text.length;
  }

  value(): unknown {
    this.#match(/\s*/y);
    if (this.#is('[')) return this.#items(']');
    if (this.#is('(')) return this.#items(')');
    if (this.#is('{')) return this.#dict();
    if (this.#is('-inf')) return Number.NEGATIVE_INFINITY;
    const bytes = this.#match(/b(?=')/y);
    const quoted = this.#match(/'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)"/y);
    if (quoted) {
      const text = unescaped(quoted[1] ?? quoted[2] ?? '');
      return bytes ? Buffer.from(text, 'latin1') : text;
    }
    const number = this.#match(/-?\d+(\.\d+)?(e[-+]?\d+)?/y);
    if (number) {
      const value = Number(number[0]);
      return number[1] || number[2] || Number.isSafeInteger(value) ? value : BigInt(number[0]);
    }
    const name = this.#match(/[A-Za-z_][\w.]*/y)?.[0];
    if (name === undefined) throw new SyntaxError(this.#text.slice(this.#at));
    if (Object.hasOwn(NAMES, name)) return NAMES[name];
    if (!this.#is('(')) throw new SyntaxError(name);
    return this.#call(name);
  }

  #items(end: string): unknown[] {
    const items: unknown[] = [];
    while (!this.#is(end)) {
      items.push(this.value());
      this.#is(',');
    }
    return items;
  }

  #dict(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    while (!this.#is('}')) {
      const key = this.value();
      if (!this.#is(':')) throw new SyntaxError('a set');
      entries.push([keyText(key), this.value()]);
      this.#is(',');
    }
    return Object.fromEntries(entries);
  }

  #call(name: string): unknown {
    const args: unknown[] = [];
    const named = new Map<string, unknown>();
    while (!this.#is(')')) {
      this.#match(/\s*/y);
      const keyword = this.#match(/(\w+)=/y)?.[1];
      if (keyword === undefined) args.push(this.value());
      else named.set(keyword, this.value());
      this.#is(',');
    }
    return construct(name, args, named);
  }

  #is(token: string): boolean {
    this.#match(/\s*/y);
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at += match[0].length;
    return match;
  }
}

function keyText(key: unknown): string {
  if (key === null) return 'null';
  return String(key);
}

function construct(name: string, args: unknown[], named: Map<string, unknown>): unknown {
  const [first, second] = args as [never, never];
  switch (name) {
    case 'datetime.datetime':
    case 'TimeStamp':
      return dateOf(args as number[], Number(named.get('tzinfo') ?? 0));
    case 'datetime.date':
      return dateOf([...(args as number[]), 0, 0, 0], 0);
    case 'datetime.timedelta':
      return (
        Number(named.get('days') ?? first ?? 0) * 86_400_000 +
        Number(named.get('seconds') ?? 0) * 1000
      );
    case 'datetime.timezone':
    case 'FixedOffset':
      return first;
    case 'ObjectId':
      return new ObjectId(first as string);
    case 'UUID':
      return new UUID(first as string);
    case 'Binary':
      return second === 4 ? new UUID(first as Buffer) : new Binary(first as Buffer, second);
    case 'Decimal128':
      return Decimal128.fromString(first);
    case 'Timestamp':
      return new Timestamp({ t: first, i: second });
    case 'MinKey':
      return new MinKey();
    case 'MaxKey':
      return new MaxKey();
    case 'DBRef':
      return new DBRef(first, second);
    case 'Code':
      return new Code(first, second);
    case 'set':
      return new Set(first as unknown[]);
    case 'odict_keys':
      return first;
    default:
      return { call: name, args } satisfies UnknownCall;
  }
}

function dateOf(parts: number[], offsetMs: number): Date {
  const [year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0, micro = 0] = parts;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, Math.floor(micro / 1000));
  return new Date(date.getTime() - offsetMs);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/g,
    (_, x?: string, u?: string, long?: string, one?: string) =>
      one === undefined
        ? String.fromCodePoint(Number.parseInt(x ?? u ?? long ?? '0', 16))
        : (ESCAPES[one] ?? one),
  );
}
