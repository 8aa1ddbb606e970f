import { createHash } from 'node:crypto';
import { MissingDependencyError } from '../errors/option-errors.js';
import { arg, MSONable, option } from '../msonable/decorators.js';
import type { Doc } from '../query/document.js';
import { assertBoolean } from '../util/assert-option.js';
import type { SchemaCheck } from './json-schema-rules.js';
import { compileSchema, draftOf } from './json-schema-rules.js';
import { toPlainSchema } from './json-schema-value.js';
import type { Validator } from './validator.js';

/** Options of {@link JSONSchemaValidator}. */
export interface JSONSchemaValidatorOptions {
  /**
   * True makes `update` throw for one bad document, and store nothing of that call; false leaves the bad ones out.
   * @defaultValue `false`
   */
  readonly strict?: boolean | undefined;
}

/**
 * Accepts the documents that satisfy a JSON Schema.
 *
 * Schemas are those of 2020-12, 2019-09 or draft-07, as their `$schema` says; without one, 2020-12. Numbers of BSON are
 * numbers; a date, an ObjectId and the like is of none of JSON's types, and the keyword `bsonType`, as MongoDB has it,
 * asks for it. `format` is a remark, and keywords that are not known mean nothing. It needs the package `ajv`.
 *
 * @example
 * ```ts
 * const validator = new JSONSchemaValidator({
 *   type: 'object',
 *   required: ['volume'],
 *   properties: { volume: { type: 'number', exclusiveMinimum: 0 }, last_updated: { bsonType: 'date' } },
 * });
 * const store = new MemoryStore({ key: 'name', validator });
 * ```
 */
@MSONable(import.meta.url, { module: 'maggma.validators', version: '0.74.0' })
export class JSONSchemaValidator implements Validator {
  /** The schema; a frozen copy of what was given. */
  @arg() readonly schema: Doc;
  /** Whether one bad document makes `update` throw. */
  @option() readonly strict: boolean;

  #check: SchemaCheck | undefined;

  /**
   * @param schema - A JSON Schema.
   * @param options - As {@link JSONSchemaValidatorOptions} says.
   * @throws {@link InvalidOptionError} for what is no valid schema, with the place. Where `ajv` is not installed, that
   * is found out when the first document is checked.
   */
  constructor(schema: Doc, options: JSONSchemaValidatorOptions = {}) {
    const { strict = false } = options;
    assertBoolean('strict', strict);
    this.schema = toPlainSchema(schema);
    this.strict = strict;
    draftOf(this.schema);
    try {
      this.#rules();
    } catch (error) {
      // A file that names a validator can be read and written where nothing is validated.
      if (!(error instanceof MissingDependencyError)) throw error;
    }
  }

  /** The same for equal schemas, in every process. */
  get fingerprint(): string {
    const rules = [this.constructor.name, sorted(this.schema)];
    return createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, 32);
  }

  /**
   * Tells whether a document satisfies the schema.
   *
   * @throws {@link MissingDependencyError} when `ajv` is not installed; never for a document, whatever it is.
   */
  isValid(doc: Doc): boolean {
    return this.#rules()(doc).length === 0;
  }

  /**
   * What is wrong with a document, each with its place, such as `$.sites[0].x: must be number, got 'left'`; at most 20
   * problems and how many more there are.
   *
   * @throws {@link MissingDependencyError} when `ajv` is not installed.
   */
  validationErrors(doc: Doc): string[] {
    return this.#rules()(doc);
  }

  #rules(): SchemaCheck {
    this.#check ??= compileSchema(this.schema, this.constructor.name);
    return this.#check;
  }
}

/** The same whatever the order of fields. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return names.map((name) => [name, sorted((value as Doc)[name])]);
}
