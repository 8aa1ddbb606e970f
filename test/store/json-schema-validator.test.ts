import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Binary, Decimal128, Long, ObjectId } from 'bson';
import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { ValidationError } from '../../src/errors/store-errors.js';
import { arg, MSONable } from '../../src/msonable/decorators.js';
import { asDict, dumps } from '../../src/msonable/dump.js';
import { loads } from '../../src/msonable/load.js';
import type { Doc } from '../../src/query/document.js';
import { JSONSchemaValidator } from '../../src/store/json-schema-validator.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { msonableSchema } from '../../src/store/msonable-schema.js';
import { golden } from '../msonable/golden-data.js';

const errorsOf = (schema: Doc, doc: Doc): string[] =>
  new JSONSchemaValidator(schema).validationErrors(doc);

/** A schema for one field. */
const field = (schema: Doc): Doc => ({ properties: { v: schema } });

interface Golden {
  readonly validations: readonly {
    readonly name: string;
    readonly schema: Doc;
    readonly cases: readonly { doc: Doc; valid: boolean; paths: readonly string[] }[];
  }[];
  readonly bad_schemas: readonly { readonly schema: Doc; readonly error: string }[];
}

describe('what Python says', () => {
  const { validations, bad_schemas } = golden<Golden>('json-schema.json');
  const DATES: Readonly<Record<string, Date>> = {
    '<date>': new Date(0),
    '<later>': new Date(1),
  };
  const withDates = (value: unknown): unknown => {
    if (typeof value === 'string') return DATES[value] ?? value;
    return Array.isArray(value) ? value.map(withDates) : value;
  };

  test.each(validations)('of documents with $name is said here, too', ({ schema, cases }) => {
    const validator = new JSONSchemaValidator(schema);
    for (const { doc, valid, paths } of cases) {
      const read = Object.fromEntries(
        Object.entries(doc).map(([name, value]) => [name, withDates(value)]),
      );
      expect(validator.isValid(read), JSON.stringify(doc)).toBe(valid);
      const found = validator.validationErrors(read).map(dottedPath);
      expect([...new Set(found)].sort(), JSON.stringify(doc)).toEqual(
        expect.arrayContaining([...paths]),
      );
      expect(found.length === 0).toBe(valid);
    }
  });

  test.each(bad_schemas)('of the schema $schema is said here, too', ({ schema, error }) => {
    const wrong = thrownBy(() => new JSONSchemaValidator(schema));
    expect(wrong).toBeInstanceOf(InvalidOptionError);
    expect((wrong as InvalidOptionError).option).toBe(`schema.${error}`);
  });

  /** `$.a[0].b: …` as Python writes the path. */
  function dottedPath(problem: string): string {
    const [place = ''] = /^\$[^:]*/.exec(problem) ?? [];
    return place.replace(/^\$\.?/, '').replace(/\[(\d+)\]/g, '.$1');
  }
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return expect.fail('nothing was thrown');
}

describe('the problems of a document', () => {
  test('have paths, also through arrays, and say what was found', () => {
    const schema = field({ type: 'array', items: field({ type: 'number' }) });
    expect(errorsOf(schema, { v: [{ v: 1 }, { v: 'x' }, { v: [] }] })).toEqual([
      "$.v[1].v: must be number, got 'x'",
      '$.v[2].v: must be number, got an array',
    ]);
  });

  test('have paths that tell a number from a position', () => {
    const schema = field({ additionalProperties: { type: 'string' } });
    expect(errorsOf(schema, { v: { 0: 5, 'a.b': 5, 'a/~b': 5 } })).toEqual([
      '$.v["0"]: must be string, got 5',
      '$.v["a.b"]: must be string, got 5',
      '$.v["a/~b"]: must be string, got 5',
    ]);
  });

  test('name the values that are allowed, and the fields that are missing or too many', () => {
    expect(errorsOf(field({ enum: ['a', null] }), { v: 2 })).toEqual([
      '$.v: must be one of "a", null, got 2',
    ]);
    expect(errorsOf(field({ const: { a: 1 } }), { v: { a: 2 } })).toEqual([
      '$.v: must be {"a":1}, got an object',
    ]);
    expect(errorsOf({ required: ['a'] }, {})).toEqual(["$: must have required property 'a'"]);
    expect(errorsOf({ properties: {}, additionalProperties: false }, { x: 1 })).toEqual([
      '$: must not have the property "x"',
    ]);
    expect(errorsOf(field(false as unknown as Doc), { v: 1 })).toEqual(['$.v: must not be there']);
  });

  test('are not more than 20, and the number of the others', () => {
    const schema = field({ items: { type: 'number' } });
    const problems = errorsOf(schema, { v: new Array(100_000).fill('x') });
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('$: has 99980 more problems');
  });

  test('are none for a valid document', () => {
    expect(errorsOf(field({ type: 'number' }), { v: 1 })).toEqual([]);
  });
});

describe('a bad document never makes the validator throw:', () => {
  const schema = { properties: { v: { enum: [{ a: 1 }] }, children: { items: { $ref: '#' } } } };
  const cyclic: Doc = {};
  cyclic['children'] = [cyclic];
  const deep = JSON.parse('{"children":['.repeat(5000) + ']}'.repeat(5000));

  test.each([
    ['one that contains itself', cyclic],
    ['one that is nested very deeply', deep],
    ['one with a field valueOf', { v: { valueOf: 5 } }],
    ['one with a function', { v: () => 1 }],
    [
      'one with a getter that throws',
      Object.defineProperty({}, 'v', { enumerable: true, get: () => expect.fail('read') }),
    ],
  ])('%s', (_, doc) => {
    const validator = new JSONSchemaValidator(schema);
    expect(validator.isValid(doc)).toBe(false);
    expect(validator.validationErrors(doc)[0]).toMatch(/^\$/);
  });

  test.each([[null], [undefined], [5], ['text'], [[]]])('%j instead of a document', (doc) => {
    const validator = new JSONSchemaValidator({ type: 'object' });
    expect(validator.isValid(doc as unknown as Doc)).toBe(false);
    expect(validator.validationErrors(doc as unknown as Doc)[0]).toMatch(/must be object/);
  });
});

describe('values that JSON does not have', () => {
  test('numbers of BSON are numbers', () => {
    const schema = field({ type: 'integer', minimum: 5 });
    expect(errorsOf(schema, { v: Long.fromNumber(5) })).toEqual([]);
    expect(errorsOf(schema, { v: 7n })).toEqual([]);
    expect(errorsOf(schema, { v: Long.fromNumber(4) })).toHaveLength(1);
    expect(errorsOf(field({ type: 'number' }), { v: Number.NaN })).toEqual([]);
  });

  test.each([
    new Date(0),
    new ObjectId(),
    new Binary(Buffer.from('x')),
    Decimal128.fromString('1'),
  ])('%s is of no type, and may stand where no type is asked for', (value) => {
    expect(errorsOf(field({}), { v: value })).toEqual([]);
    for (const type of ['object', 'string', 'number', 'array', 'boolean', 'null'])
      expect(errorsOf(field({ type }), { v: value }), type).toHaveLength(1);
  });

  test('bsonType asks for them, by one name or several', () => {
    const when = { v: new Date(0) };
    expect(errorsOf(field({ bsonType: 'date' }), when)).toEqual([]);
    expect(errorsOf(field({ bsonType: ['null', 'date'] }), when)).toEqual([]);
    expect(errorsOf(field({ bsonType: 'objectId' }), when)).toEqual([
      '$.v: must be of the BSON type objectId, got 1970-01-01T00:00:00.000Z',
    ]);
    expect(
      errorsOf(field({ items: { bsonType: 'long' } }), { v: [Long.fromNumber(1), 1] }),
    ).toEqual(['$.v[1]: must be of the BSON type long, got 1']);
    expect(errorsOf(field({ bsonType: 'number' }), { v: Decimal128.fromString('1') })).toEqual([]);
  });

  test('bsonType of a name that there is not is refused', () => {
    expect(() => new JSONSchemaValidator(field({ bsonType: 'day' }))).toThrow(/bsonType/);
  });
});

describe('a schema', () => {
  test('that is none is refused, with the place and the value there', () => {
    expect(() => new JSONSchemaValidator(field({ type: 'strnig' }))).toThrow(
      /^Expected option `schema\.properties\.v\.type` to be .*one of.*string.*got 'strnig'$/,
    );
  });

  test.each([
    ['a reference to nowhere', field({ $ref: '#/$defs/none' }), /can't resolve reference/],
    ['a pattern that is none', field({ pattern: '(' }), /pattern|regular expression/i],
    [
      'a value that JSON does not have',
      field({ const: new Date(0) }),
      /schema\.properties\.v\.const/,
    ],
    [
      'an unknown draft',
      { $schema: 'http://json-schema.org/draft-04/schema#' },
      /schema\.\$schema/,
    ],
    ['$async', { $async: true }, /schema\.\$async/],
  ])('with %s is refused', (_, schema, message) => {
    expect(() => new JSONSchemaValidator(schema)).toThrow(InvalidOptionError);
    expect(() => new JSONSchemaValidator(schema)).toThrow(message);
  });

  test.each([[undefined], [null], ['x'], [5], [[]]])('that is %j is refused', (schema) => {
    expect(() => new JSONSchemaValidator(schema as unknown as Doc)).toThrow(InvalidOptionError);
  });

  test('may be of 2019-09', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2019-09/schema',
      properties: { v: { items: [{ type: 'string' }] } },
    };
    expect(errorsOf(schema, { v: [1] })).toHaveLength(1);
  });

  test('is copied and frozen', () => {
    const schema = field({ type: 'number' });
    const validator = new JSONSchemaValidator(schema);
    schema['properties'].v.type = 'string';
    expect(validator.isValid({ v: 1 })).toBe(true);
    expect(Object.isFrozen(validator.schema['properties'].v)).toBe(true);
  });

  test('may be deeply frozen', () => {
    expect(new JSONSchemaValidator(Object.freeze({ type: 'object' })).isValid({})).toBe(true);
  });
});

describe('the fingerprint', () => {
  const one = new JSONSchemaValidator({ type: 'object', required: ['a'] }).fingerprint;

  test('is the same for equal schemas, whatever the order of their fields', () => {
    expect(one).toBe('e611ea49d4cf8133e2af4ff246c7bbee');
    const other = new JSONSchemaValidator({ required: ['a'], type: 'object' }, { strict: true });
    expect(other.fingerprint).toBe(one);
  });

  test('differs for other schemas, and for other classes', () => {
    class Stricter extends JSONSchemaValidator {}
    const others = [
      new JSONSchemaValidator({ type: 'object', required: ['b'] }),
      new JSONSchemaValidator({ type: 'object', required: ['a', 'b'] }),
      new Stricter({ type: 'object', required: ['a'] }),
    ];
    expect(new Set([one, ...others.map((other) => other.fingerprint)]).size).toBe(4);
  });
});

describe('in a store', () => {
  const schema = { required: ['v'], properties: { v: { type: 'number' } } };
  const docs = [
    { k: 1, v: 1 },
    { k: 2, v: 'x' },
    { k: 3, v: 3 },
  ];

  test('the others of one call are stored', async () => {
    const store = new MemoryStore({ key: 'k', validator: new JSONSchemaValidator(schema) });
    await store.connect();
    expect(await store.update(docs)).toEqual({
      written: 2,
      refused: [
        { key: 2, reason: 'refused by the validator', paths: ["$.v: must be number, got 'x'"] },
      ],
    });
    expect(await store.distinct('k')).toEqual([1, 3]);
  });

  test('a strict one makes update throw and store nothing', async () => {
    const validator = new JSONSchemaValidator(schema, { strict: true });
    const store = new MemoryStore({ key: 'k', validator });
    await store.connect();
    await expect(store.update(docs)).rejects.toThrow(ValidationError);
    expect(await store.count()).toBe(0);
  });

  test('it is dumped and loaded with the store, and works', async () => {
    const validator = new JSONSchemaValidator(schema, { strict: true });
    const text = dumps(new MemoryStore({ key: 'k', validator }));
    const store = await loads<MemoryStore>(text);
    expect(store.validator).toBeInstanceOf(JSONSchemaValidator);
    expect(store.validator?.fingerprint).toBe(validator.fingerprint);
    await store.connect();
    await expect(store.update(docs)).rejects.toThrow(ValidationError);
    expect(dumps(store)).toBe(text);
  });

  test('strict is true or false', () => {
    expect(() => new JSONSchemaValidator({}, { strict: 1 as unknown as boolean })).toThrow(
      /`strict`/,
    );
  });

  test('a schema with $ref, $id, $defs and odd names survives a file', async () => {
    const odd = {
      $id: 'https://example.org/odd',
      $defs: { p: { type: 'number' } },
      properties: { $oid: { $ref: '#/$defs/p' }, '@class': { const: 'a' }, '@module': {} },
    };
    const validator = new JSONSchemaValidator(odd);
    const read = await loads<JSONSchemaValidator>(dumps(validator));
    expect(read.schema).toEqual(odd);
    expect(read.isValid({ $oid: 'x' })).toBe(false);
  });
});

@MSONable(import.meta.url, { module: 'tests.lattice', version: null })
class Lattice {
  @arg() readonly a: number;
  constructor(a: number) {
    this.a = a;
  }
}

describe('the schema of a serializable class', () => {
  const schema = {
    type: 'object',
    properties: {
      task_id: { type: 'string' },
      successful: { type: 'boolean' },
      lattice: msonableSchema(Lattice),
    },
    required: ['task_id', 'successful'],
  };
  const valid = { task_id: 'mp-test', successful: true, lattice: asDict(new Lattice(5)) };

  test('is the one that Python makes', () => {
    expect(msonableSchema(Lattice)).toEqual({
      type: 'object',
      required: ['@class', '@module'],
      properties: { '@class': { const: 'Lattice' }, '@module': { const: 'tests.lattice' } },
    });
  });

  test('accepts an object of the class, and nothing else', () => {
    expect(errorsOf(schema, valid)).toEqual([]);
    expect(errorsOf(schema, { ...valid, lattice: ['I am not a lattice!'] })).toEqual([
      '$.lattice: must be object, got an array',
    ]);
    expect(errorsOf(schema, { ...valid, lattice: asDict(new MemoryStore()) })).toHaveLength(2);
  });

  test('survives a file as a part of a schema', async () => {
    const read = await loads<JSONSchemaValidator>(dumps(new JSONSchemaValidator(schema)));
    expect(read.isValid(valid)).toBe(true);
    expect(read.isValid({ ...valid, lattice: 5 })).toBe(false);
  });

  test('is refused for a class that is not serializable', () => {
    expect(() => msonableSchema(class Plain {})).toThrow(/Plain.*@MSONable/);
    expect(() => msonableSchema(null as never)).toThrow(/@MSONable/);
  });
});

test('without ajv a validator can be made and written, and says what to install when it is asked', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'maggma-no-ajv-'));
  try {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    cpSync(path.join(root, 'dist'), path.join(folder, 'dist'), { recursive: true });
    cpSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
    for (const name of Object.keys(manifest.dependencies)) {
      const link = path.join(folder, 'node_modules', name);
      mkdirSync(path.dirname(link), { recursive: true });
      symlinkSync(path.join(root, 'node_modules', name), link);
    }
    const script = `
      const { JSONSchemaValidator } = await import('./dist/index.js');
      const validator = new JSONSchemaValidator({ type: 'object' });
      console.log(validator.fingerprint.length);
      try {
        validator.isValid({});
      } catch ({ code, message }) {
        console.log(code, message);
      }`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(`${stdout}${stderr}`).toBe(
      '32\nMISSING_DEPENDENCY JSONSchemaValidator needs the package "ajv": npm install ajv@8\n',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
