import { MaggmaError } from './maggma-error.js';

/** A value cannot be written: a closure, a cycle, an instance of a class that is not MSONable. */
export class SerializationError extends MaggmaError {
  override get name() {
    return 'SerializationError' as const;
  }
  override get code() {
    return 'SERIALIZATION' as const;
  }

  /** Where in the value the problem is, e.g. `$.source.key`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${problem} (at ${path})`, options);
    this.path = path;
  }
}

/** What was read does not make a value: bad arguments of a class, a malformed date, … */
export class DeserializationError extends MaggmaError {
  override get name() {
    return 'DeserializationError' as const;
  }
  override get code() {
    return 'DESERIALIZATION' as const;
  }

  /** Where in the value the problem is, e.g. `$.source.key`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${problem} (at ${path})`, options);
    this.path = path;
  }
}

/** Nobody knows the class that a dump names, or its module cannot be found from here. */
export class UnknownClassError extends MaggmaError {
  override get name() {
    return 'UnknownClassError' as const;
  }
  override get code() {
    return 'UNKNOWN_CLASS' as const;
  }

  readonly module: string;
  readonly className: string;
  readonly path: string;

  constructor(
    path: string,
    module: string,
    className: string,
    advice: string,
    options?: ErrorOptions,
  ) {
    super(`Unknown class "${className}" of module "${module}" (at ${path}): ${advice}`, options);
    this.path = path;
    this.module = module;
    this.className = className;
  }
}

/** Two classes claim one name, or a class is declared in a way that cannot be serialized. */
export class ClassDeclarationError extends MaggmaError {
  override get name() {
    return 'ClassDeclarationError' as const;
  }
  override get code() {
    return 'CLASS_DECLARATION' as const;
  }

  constructor(className: string, problem: string) {
    super(`${className}: ${problem}`);
  }
}

/** A file is not there, cannot be read, or is not what its name says. */
export class FileFormatError extends MaggmaError {
  override get name() {
    return 'FileFormatError' as const;
  }
  override get code() {
    return 'FILE_FORMAT' as const;
  }

  readonly file: string;

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
    this.file = file;
  }
}
