import { ClassDeclarationError } from '../errors/serialization-errors.js';
import type { AnyClass, Field, FieldOptions, FieldSpec } from './fields.js';
import { declareField, declareOmitted, fieldsOf } from './fields.js';
import { identify } from './module-id.js';
import { registerClass } from './registry.js';
import { maskInspection } from './secrets.js';

// Standard decorators keep what they record under this symbol. It must exist before a class body runs.
(Symbol as { metadata?: symbol }).metadata ??= Symbol.for('Symbol.metadata');

/** What `MSONable` may be told beyond the module's URL. */
export interface MSONableOptions {
  /**
   * Written as `@module`.
   * @defaultValue the package's specifier of the module, or its path relative to the written file
   */
  readonly module?: string | undefined;
  /**
   * Written as `@class`. Needed when a minifier renames classes.
   * @defaultValue the class's own name
   */
  readonly name?: string | undefined;
  /**
   * Written as `@version`; never looked at when reading.
   * @defaultValue the version of the module's package, or null
   */
  readonly version?: string | null | undefined;
  /** Positional arguments, for plain JavaScript; in TypeScript use `@arg()`. */
  readonly args?: readonly FieldSpec[] | undefined;
  /** Keys of the options object, for plain JavaScript; in TypeScript use `@option()`. */
  readonly options?: readonly FieldSpec[] | undefined;
  /** Other `@module`s under which files may name the class. */
  readonly aliases?: readonly string[] | undefined;
  /** Properties of inherited options that this class's constructor does not take. */
  readonly omit?: readonly string[] | undefined;
}

/** A decorator of fields, getters and accessors; for both kinds of decorators that TypeScript knows. */
export interface FieldDecorator {
  (target: object, property: string, descriptor?: PropertyDescriptor): void;
  (
    value: unknown,
    context:
      | ClassFieldDecoratorContext
      | ClassGetterDecoratorContext
      | ClassAccessorDecoratorContext,
  ): void;
}

/**
 * Declares a positional argument of the constructor; its position is the order of declaration.
 *
 * The property must hold the argument, or a value that the constructor takes in its place. A subclass that
 * declares any `@arg()` replaces the list of its base class.
 *
 * @param options - The name in files, and how the value is written.
 */
export function arg(options: FieldOptions = {}): FieldDecorator {
  return fieldDecorator('arg', options);
}

/**
 * Declares a key of the options object, which is the constructor's last argument.
 *
 * Options of base classes are inherited; they are written after the own ones. An option that is undefined is
 * written as null, as Python writes `None`, and the constructor is given that null when the object is loaded.
 *
 * @param options - The name in files, and how the value is written.
 */
export function option(options: FieldOptions = {}): FieldDecorator {
  return fieldDecorator('option', options);
}

function fieldDecorator(kind: Field['kind'], options: FieldOptions): FieldDecorator {
  return (target: unknown, where: unknown) => {
    if (typeof where === 'object' && where !== null && 'kind' in where) {
      const context = where as DecoratorContext;
      const property = String(context.name);
      declareField(
        metadataOf(context, property),
        kind,
        property,
        options,
        `@${kind}() ${property}`,
      );
    } else {
      const className = (target as object).constructor.name;
      declareField(target as object, kind, String(where), options, className);
    }
  };
}

function metadataOf(context: DecoratorContext, name: string): object {
  if (context.metadata) return context.metadata;
  throw new ClassDeclarationError(
    name,
    'the compiler provides no decorator metadata: import this package before the module that declares the class',
  );
}

/**
 * Makes a class serializable: its instances can be written, and are built again by its constructor.
 *
 * What is written is the arguments of the constructor, declared by {@link arg} and {@link option}. The class is
 * found again by its module, so it must be exported. Returns the class unchanged.
 *
 * @param url - `import.meta.url` of the module that declares the class.
 * @param spec - Fixed names instead of those found from the URL, and the arguments for plain JavaScript.
 * @throws {@link ClassDeclarationError} when two arguments or two classes claim one name.
 *
 * @example
 * ```ts
 * @MSONable(import.meta.url)
 * export class ScaleBuilder extends MapBuilder {
 *   @option() readonly factor: number;
 *   constructor(source: Store, target: Store, options: ScaleOptions = {}) {
 *     super(source, target, options);
 *     this.factor = options.factor ?? 2;
 *   }
 *
 *   unaryFunction(item: Doc) {
 *     return { a: item.a * this.factor };
 *   }
 * }
 * ```
 *
 * @example In plain JavaScript
 * ```js
 * export const Scale = MSONable(import.meta.url, { options: ['factor'] })(class Scale extends MapBuilder { … });
 * ```
 */
export function MSONable(
  url: string,
  spec: MSONableOptions = {},
): <C extends AnyClass>(cls: C, context?: ClassDecoratorContext) => C {
  return (cls, context) => {
    const { name = cls.name, args = [], options = [], aliases = [], omit = [] } = spec;
    if (name === '')
      throw new ClassDeclarationError('An anonymous class', 'pass { name } to MSONable()');
    const prototype = cls.prototype as object;
    declareAll(prototype, 'arg', args, name);
    declareAll(prototype, 'option', options, name);
    if (omit.length > 0) declareOmitted(prototype, omit);
    // Also finds clashes of names here, where the class is declared.
    maskInspection(cls, fieldsOf(cls, context?.metadata));
    const id = identify(url);
    const { module = id.module, version = id.version } = spec;
    registerClass({ cls, name, module, version, url, packageDir: id.packageDir }, aliases);
    return cls;
  };
}

function declareAll(
  prototype: object,
  kind: Field['kind'],
  specs: readonly FieldSpec[],
  className: string,
): void {
  for (const spec of specs) {
    const { property, ...options } = typeof spec === 'string' ? { property: spec } : spec;
    declareField(prototype, kind, property, options, className);
  }
}
