import 'reflect-metadata';
import { ClassDeclarationError } from '../errors/serialization-errors.js';
import { snakeCase } from './naming.js';

/** Any class, abstract or not. */
export type AnyClass<T extends object = object> = abstract new (...args: never[]) => T;

/** How an argument of the constructor is written. */
export interface FieldOptions {
  /**
   * Key in the written form.
   * @defaultValue the property's name in snake_case
   */
  readonly name?: string | undefined;
  /**
   * The value is a secret, or refers to one (see {@link resolveSecret}): written by `asDict` and `dumpfn`, whose file
   * is then readable by its owner only, and masked elsewhere. Of a record, a RegExp takes the texts in it whose names
   * match.
   * @defaultValue `false`
   */
  readonly secret?: boolean | RegExp | undefined;
  /**
   * The value holds queries: a RegExp in it is written as `{"$regex", "$options"}`.
   * @defaultValue `false`
   */
  readonly criteria?: boolean | undefined;
  /**
   * `given` writes the option only when the caller passed it (see `markGiven`), as Python does with `**kwargs`.
   * @defaultValue `'always'`
   */
  readonly write?: 'always' | 'given' | undefined;
}

/** An argument in the lists of `MSONable(url, { args, options })`: a property name, or one with its options. */
export type FieldSpec = string | (FieldOptions & { readonly property: string });

/** One argument of a constructor, as declared. */
export interface Field {
  readonly kind: 'arg' | 'option';
  readonly property: string;
  readonly name: string;
  readonly secret: boolean | RegExp;
  readonly criteria: boolean;
  readonly write: 'always' | 'given';
}

const FIELDS = Symbol.for('maggma.msonable/fields');
const OMITTED = Symbol.for('maggma.msonable/omitted');

/** Records an argument on a prototype (legacy decorators, lists) or on a class's decorator metadata. */
export function declareField(
  owner: object,
  kind: Field['kind'],
  property: string,
  options: FieldOptions,
  className: string,
): void {
  const {
    name = snakeCase(property),
    secret = false,
    criteria = false,
    write = 'always',
  } = options;
  for (const word of [property, name])
    if (word in Object.prototype)
      throw new ClassDeclarationError(className, `an argument cannot be called "${word}"`);
  if (name === '' || name.startsWith('@'))
    throw new ClassDeclarationError(
      className,
      `an argument cannot be written as "${name}": expected a name that does not start with "@"`,
    );
  const field: Field = { kind, property, name, secret, criteria, write };
  Reflect.defineMetadata(FIELDS, [...declaredOn(owner), field], owner);
}

/** Records the inherited options that a class does not take. */
export function declareOmitted(prototype: object, properties: readonly string[]): void {
  Reflect.defineMetadata(OMITTED, properties, prototype);
}

function declaredOn(owner: object): readonly Field[] {
  return (Reflect.getOwnMetadata(FIELDS, owner) as readonly Field[] | undefined) ?? [];
}

function ownFields(cls: AnyClass, metadata?: object): readonly Field[] {
  const { metadata: key } = Symbol as { metadata?: symbol };
  const standard =
    metadata ??
    (key !== undefined && Object.hasOwn(cls, key) ? (Reflect.get(cls, key) as object) : undefined);
  const legacy = declaredOn(cls.prototype as object);
  return standard ? [...declaredOn(standard), ...legacy] : legacy;
}

/**
 * The constructor's arguments in the order in which they are written.
 *
 * Positional ones are those of the nearest class that declares any; options are merged, own ones first and
 * the base's last. A subclass that declares an option again moves it to its own place.
 *
 * @param metadata - The decorator metadata, while the class is being defined.
 */
export function fieldsOf(cls: AnyClass, metadata?: object): readonly Field[] {
  let args: readonly Field[] = [];
  const options = new Map<string, Field>();
  const omitted = new Set<string>();
  let own = metadata;
  for (
    let ctor: unknown = cls;
    typeof ctor === 'function' && ctor !== Function.prototype;
    ctor = Reflect.getPrototypeOf(ctor)
  ) {
    const declared = ownFields(ctor as unknown as AnyClass, own);
    own = undefined;
    if (args.length === 0) args = declared.filter((field) => field.kind === 'arg');
    for (const field of declared)
      if (field.kind === 'option' && !options.has(field.property) && !omitted.has(field.property))
        options.set(field.property, field);
    const prototype: unknown = ctor.prototype;
    if (typeof prototype === 'object' && prototype !== null)
      for (const property of (Reflect.getOwnMetadata(OMITTED, prototype) as string[]) ?? [])
        omitted.add(property);
  }
  const positional = new Set(args.map((field) => field.property));
  const all = [...args, ...[...options.values()].filter((o) => !positional.has(o.property))];
  assertDistinct(cls, all);
  return all;
}

function assertDistinct(cls: AnyClass, fields: readonly Field[]): void {
  const seen = new Map<string, string>();
  for (const { name, property } of fields) {
    const other = seen.get(name);
    if (other !== undefined)
      throw new ClassDeclarationError(
        cls.name,
        `"${other}" and "${property}" would both be written as "${name}": pass { name } to one of them`,
      );
    seen.set(name, property);
  }
}
