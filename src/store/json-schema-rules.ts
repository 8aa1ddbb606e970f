import { createRequire } from 'node:module';
import { InvalidOptionError, MissingDependencyError } from '../errors/option-errors.js';
import { TYPE_NUMBERS, typeNameOf } from '../query/bson-type-names.js';
import type { Doc } from '../query/document.js';
import { installCommand } from '../util/install-command.js';
import type { SchemaProblem } from './json-schema-problem.js';
import { describeProblem, placeAt } from './json-schema-problem.js';
import { toInstance } from './json-schema-value.js';

/** Says what is wrong with a document; nothing for a valid one. */
export type SchemaCheck = (doc: Doc) => string[];

// Not import(): a validator is asked while a document is written, and answers at once. Literal, so that bundlers see it.
const require = createRequire(import.meta.url);
const DEFAULT_DRAFT = 'https://json-schema.org/draft/2020-12/schema';
/** Loads the class of ajv for each draft. */
const DRAFTS: ReadonlyMap<unknown, () => unknown> = new Map([
  [DEFAULT_DRAFT, () => require('ajv/dist/2020.js')],
  ['https://json-schema.org/draft/2019-09/schema', () => require('ajv/dist/2019.js')],
  ['http://json-schema.org/draft-07/schema', () => require('ajv')],
]);

/** A hundred thousand wrong elements are one problem, not as many. */
const MAX_PROBLEMS = 20;

const NUMBER_TYPES = ['int', 'long', 'double', 'decimal'];
const TYPE_NAME = { enum: [...Object.keys(TYPE_NUMBERS), 'number'] };

/** What is used of ajv; its own types would become part of ours. */
interface Ajv {
  readonly errors?: readonly SchemaProblem[] | null;
  validateSchema(schema: Doc): unknown;
  compile(schema: Doc): CompiledSchema;
  addKeyword(definition: object): unknown;
}

interface CompiledSchema {
  (this: Context, instance: unknown): boolean;
  readonly errors?: readonly SchemaProblem[] | null;
}

/** What `this` is while a document is checked. */
interface Context {
  /** The document as it is stored. */
  readonly doc: Doc;
}

type AjvClass = new (options: object) => Ajv;

/**
 * Finds what knows the draft that a schema is written in.
 *
 * @throws {@link InvalidOptionError} for a draft that is not known.
 */
export function draftOf({ $schema = DEFAULT_DRAFT }: Doc): () => unknown {
  const load = DRAFTS.get(typeof $schema === 'string' ? $schema.replace(/#$/, '') : $schema);
  if (load !== undefined) return load;
  const known = [...DRAFTS.keys()].join(', ');
  throw new InvalidOptionError('schema.$schema', `one of ${known}`, $schema);
}

/**
 * Turns a schema into a check of documents.
 *
 * @param schema - Plain JSON.
 * @param usedBy - Who needs ajv, for the message.
 * @throws {@link MissingDependencyError} without ajv, {@link InvalidOptionError} for a schema that is none, with the
 * place.
 */
export function compileSchema(schema: Doc, usedBy: string): SchemaCheck {
  const ajv = createAjv(loadAjv(draftOf(schema), usedBy));
  const isValid = compile(ajv, schema);
  return (doc) => {
    try {
      if (isValid.call({ doc }, toInstance(doc))) return [];
    } catch (error) {
      // A document that is nested too deeply, or has a field "valueOf" where ajv compares objects: it is not valid.
      return [`$: cannot be checked: ${error instanceof Error ? error.message : String(error)}`];
    }
    const problems = isValid.errors ?? [];
    const shown = problems.slice(0, MAX_PROBLEMS).map((problem) => describeProblem(problem, doc));
    const others = problems.length - shown.length;
    return others > 0 ? [...shown, `$: has ${others} more problems`] : shown;
  };
}

function loadAjv(load: () => unknown, usedBy: string): AjvClass {
  try {
    return (load() as { default: AjvClass }).default;
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new MissingDependencyError('ajv', usedBy, { cause, install: installCommand('ajv') });
  }
}

/** Absent itself; a package that is there but lacks another one fails with its own error. */
const isAbsent = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === 'MODULE_NOT_FOUND' &&
  /^Cannot find module 'ajv['/]/.test(error.message);

function createAjv(Class: AjvClass): Ajv {
  const ajv = new Class({
    // As Python's jsonschema: unknown keywords mean nothing, formats are remarks, NaN is a number.
    strict: false,
    validateFormats: false,
    allErrors: true,
    ownProperties: true,
    passContext: true,
    logger: false,
    code: { regExp: toRegExp },
  });
  ajv.addKeyword({
    keyword: 'bsonType',
    metaSchema: { anyOf: [TYPE_NAME, { type: 'array', minItems: 1, items: TYPE_NAME }] },
    compile: (operand: string | readonly string[]) => {
      const types = typeof operand === 'string' ? [operand] : operand;
      const names = new Set(types.flatMap((type) => (type === 'number' ? NUMBER_TYPES : [type])));
      return checkBsonType(names, types.join(', '));
    },
  });
  return ajv;
}

function checkBsonType(names: ReadonlySet<string>, types: string) {
  return function check(this: Context, _: unknown, { instancePath }: { instancePath: string }) {
    if (names.has(typeNameOf(placeAt(this.doc, instancePath).value))) return true;
    (check as { errors?: object[] }).errors = [{ keyword: 'bsonType', params: { types } }];
    return false;
  };
}

/** Patterns from Python may have escapes, such as `\-`, that JavaScript takes only without the flag `u`. */
function toRegExp(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return new RegExp(pattern, flags.replace('u', ''));
  }
}
// ajv asks for the text with which it would write the function into a module; it never does.
toRegExp.code = 'toRegExp';

function compile(ajv: Ajv, schema: Doc): CompiledSchema {
  if (schema['$async'] !== undefined)
    throw new InvalidOptionError('schema.$async', 'absent', schema['$async']);
  if (!ajv.validateSchema(schema)) {
    const [problem] = ajv.errors ?? [];
    const { path, value } = placeAt(schema, problem?.instancePath ?? '', 'schema');
    const rule = describeRule(problem);
    throw new InvalidOptionError(path, `as JSON Schema wants it (it ${rule})`, value);
  }
  try {
    return ajv.compile(schema);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new InvalidOptionError('schema', `one that can be compiled (${problem})`, schema);
  }
}

function describeRule(problem: SchemaProblem | undefined): string {
  const { message = 'is not valid', params } = problem ?? {};
  const allowed = params?.['allowedValues'];
  return Array.isArray(allowed) ? `must be one of ${allowed.join(', ')}` : message;
}
