import {
  Binary,
  BSONRegExp,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import type { Doc } from '../../src/query/document.js';

/** A small generator of pseudo-random numbers (mulberry32): the same seed gives the same sequence. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

const OID = (n: number) => new ObjectId(n.toString(16).padStart(24, '0'));

/** Few values of each kind, so that equal ones meet often. */
const SCALARS: readonly unknown[] = [
  null,
  null,
  0,
  1,
  2,
  3,
  5,
  -1,
  1.5,
  new Double(2),
  new Double(-0),
  Number.NaN,
  new Int32(3),
  Long.fromNumber(2),
  Long.fromString('9007199254740993'),
  9007199254740992,
  Decimal128.fromString('2'),
  Decimal128.fromString('1.50'),
  Decimal128.fromString('0.1'),
  0.1,
  '',
  'a',
  'ab',
  'B',
  'abc',
  'a\nb',
  'ﬀ',
  '😀',
  '2',
  true,
  false,
  new Date(0),
  new Date(1e12),
  OID(1),
  OID(2),
  new Binary(Buffer.from([1, 2, 3])),
  new Binary(Buffer.from([1, 2]), 4),
  new Timestamp({ t: 1, i: 2 }),
  new BSONRegExp('^a', 'i'),
];

const RARE: readonly unknown[] = [new MinKey(), new MaxKey()];

const NAMES = ['a', 'b', 'c'] as const;
const PATHS = ['a', 'a', 'a', 'b', 'c', 'a.b', 'a.b', 'a.c', 'b.a', 'a.0', 'a.1', 'a.b.c', 'a.b.0'];
const LATE_PATHS = ['a.0.b', 'a.1.b', 'a.0.1', 'a.b.0.c', 'b.c.a', 'a.0.0'];

/** Makes documents, and questions about them. */
export class Generator {
  readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  scalar(): unknown {
    return this.random.pick(this.random.chance(0.02) ? RARE : SCALARS);
  }

  value(depth = 2): unknown {
    const roll = this.random.next();
    if (depth === 0 || roll < 0.5) return this.scalar();
    if (roll < 0.75) return this.random.list(3, () => this.value(depth - 1));
    return this.fields(depth - 1);
  }

  fields(depth: number): Doc {
    const doc: Doc = {};
    for (const name of NAMES) if (this.random.chance(0.5)) doc[name] = this.value(depth);
    if (this.random.chance(0.05)) doc['0'] = this.value(depth);
    return doc;
  }

  doc(id: number): Doc {
    return { _id: id, ...this.fields(3) };
  }

  path(): string {
    return this.random.pick(this.random.chance(0.85) ? PATHS : LATE_PATHS);
  }

  criteria(depth = 2): Doc {
    const criteria: Doc = {};
    const count = 1 + this.random.below(2);
    for (let i = 0; i < count; i++) {
      if (depth > 0 && this.random.chance(0.2)) {
        const join = this.random.pick(['$and', '$or', '$nor']);
        criteria[join] = [
          this.criteria(depth - 1),
          ...this.random.list(1, () => this.criteria(depth - 1)),
        ];
      } else {
        criteria[this.path()] = this.condition(depth);
      }
    }
    return criteria;
  }

  condition(depth: number): unknown {
    if (this.random.chance(0.3)) return this.value(1);
    const operators: Doc = {};
    const count = this.random.chance(0.8) ? 1 : 2;
    for (let i = 0; i < count; i++) Object.assign(operators, this.operator(depth));
    return operators;
  }

  operator(depth: number): Doc {
    const { random } = this;
    const name = random.pick(OPERATOR_NAMES);
    switch (name) {
      case '$in':
      case '$nin':
        return { [name]: random.list(3, () => this.value(1)) };
      case '$all':
        return random.chance(0.2)
          ? { $all: [{ $elemMatch: this.elementCriteria(depth) }] }
          : { $all: random.list(2, () => this.value(1)) };
      case '$elemMatch':
        return { $elemMatch: this.elementCriteria(depth) };
      case '$not':
        return { $not: this.operator(depth - 1) };
      case '$exists':
        return { $exists: random.pick([true, false, 1, 0, null]) };
      case '$type':
        return { $type: random.pick(TYPES) };
      case '$size':
        return { $size: random.below(4) };
      case '$mod':
        return { $mod: [random.pick([2, 3, -2, 1.5]), random.pick([0, 1, -1])] };
      case '$regex':
        return random.chance(0.5)
          ? { $regex: random.pick(PATTERNS), $options: random.pick(['', 'i', 'm', 's', 'x']) }
          : { $regex: random.pick(PATTERNS) };
      case '$bitsAllSet':
      case '$bitsAllClear':
      case '$bitsAnySet':
      case '$bitsAnyClear':
        return { [name]: random.pick([0, 1, 2, 3, [0], [1, 70], new Binary(Buffer.from([1]))]) };
      default:
        return { [name]: this.value(1) };
    }
  }

  elementCriteria(depth: number): Doc {
    if (depth > 0 && this.random.chance(0.5)) {
      const name = this.random.pick([...NAMES, 'b.c', '0']);
      return { [name]: this.condition(depth - 1) };
    }
    return this.operator(depth - 1);
  }

  sort(): Record<string, 1 | -1> {
    const spec: Record<string, 1 | -1> = {};
    const count = 1 + this.random.below(2);
    for (let i = 0; i < count; i++) {
      spec[this.random.pick(['a', 'b', 'c', 'a.b', 'a.c', 'b.a'])] = this.random.chance(0.5)
        ? 1
        : -1;
    }
    return spec;
  }

  projection(): Doc {
    const include = this.random.chance(0.6) ? 1 : 0;
    const spec: Doc = {};
    for (let i = 0; i <= this.random.below(3); i++) {
      const path = this.random.pick(['a', 'b', 'c', 'a.b', 'a.c', 'a.b.c', 'b.a', 'c.0']);
      spec[path] = include;
    }
    if (this.random.chance(0.2)) {
      spec[this.random.pick(['a', 'b', 'c'])] = this.random.pick([
        { $slice: 1 },
        { $slice: -2 },
        { $slice: [1, 1] },
        { $elemMatch: this.elementCriteria(0) },
        { $slice: [-5, 2] },
      ]);
    }
    if (this.random.chance(0.3)) spec['_id'] = this.random.below(2);
    return spec;
  }

  expression(): Doc {
    const { random } = this;
    const operand = () =>
      random.chance(0.6)
        ? `$${random.pick(['a', 'b', 'c', 'a.b', 'a.c', 'a.b.c'])}`
        : { $literal: this.value(1) };
    const name = random.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte']);
    const compared = { [name]: [operand(), operand()] };
    if (random.chance(0.2)) return { $not: [compared] };
    if (random.chance(0.2)) return { $and: [compared, operand()] };
    if (random.chance(0.2)) return { $or: [compared, operand()] };
    return compared;
  }
}

const OPERATOR_NAMES = [
  '$eq',
  '$ne',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$in',
  '$nin',
  '$all',
  '$elemMatch',
  '$not',
  '$exists',
  '$type',
  '$size',
  '$mod',
  '$regex',
  '$bitsAllSet',
  '$bitsAllClear',
  '$bitsAnySet',
  '$bitsAnyClear',
] as const;

const TYPES: readonly unknown[] = [
  'number',
  'string',
  'object',
  'array',
  'null',
  'int',
  'double',
  'long',
  'decimal',
  'date',
  'bool',
  'objectId',
  'binData',
  'regex',
  'timestamp',
  2,
  4,
  10,
  ['string', 'null'],
  [],
  99,
];

const PATTERNS = ['^a', 'b$', '.', 'A', 'a.b', '^', 'a b', '[[:alpha:]]b', '(?i)AB', '^.$', 'b'];
