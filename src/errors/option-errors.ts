import { MaggmaError } from './maggma-error.js';
import { showValue } from './show-value.js';

/** An option, argument or setting has a value that is not allowed. */
export class InvalidOptionError extends MaggmaError {
  override get name() {
    return 'InvalidOptionError' as const;
  }
  override get code() {
    return 'INVALID_OPTION' as const;
  }

  /** Name of the option, as the caller writes it. */
  readonly option: string;

  constructor(option: string, expected: string, actual: unknown) {
    super(`Expected option \`${option}\` to be ${expected}, got ${showValue(actual)}`);
    this.option = option;
  }
}

/** An optional package is needed for what was asked, and it is not installed. */
export class MissingDependencyError extends MaggmaError {
  override get name() {
    return 'MissingDependencyError' as const;
  }
  override get code() {
    return 'MISSING_DEPENDENCY' as const;
  }

  /** The package to install. */
  readonly packageName: string;

  /** @param install - The command that installs it. */
  constructor(
    packageName: string,
    usedBy: string,
    {
      install = `npm install ${packageName}`,
      ...options
    }: ErrorOptions & { install?: string } = {},
  ) {
    super(`${usedBy} needs the package "${packageName}": ${install}`, options);
    this.packageName = packageName;
  }
}

/** A secret that an option refers to, `$env:NAME` or `$file:path`, is not there. */
export class SecretReferenceError extends MaggmaError {
  override get name() {
    return 'SecretReferenceError' as const;
  }
  override get code() {
    return 'SECRET_REFERENCE' as const;
  }

  /** Name of the store or builder. */
  readonly owner: string;
  /** Name of its option. */
  readonly option: string;
  /** The value of the option, as it is written in files. */
  readonly reference: string;

  constructor(
    { owner, option }: { readonly owner: string; readonly option: string },
    reference: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot resolve ${reference}, the option \`${option}\` of ${owner}: ${problem}`, options);
    this.owner = owner;
    this.option = option;
    this.reference = reference;
  }
}
