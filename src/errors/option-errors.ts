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

  constructor(packageName: string, usedBy: string, options?: ErrorOptions) {
    super(`${usedBy} needs the package "${packageName}": npm install ${packageName}`, options);
    this.packageName = packageName;
  }
}
