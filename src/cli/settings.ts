import { MaggmaError } from '../errors/maggma-error.js';
import { showValue } from '../errors/show-value.js';
import { readConfig } from './config-file.js';
import type { OptionKey, OptionSpec, OptionValues } from './option-table.js';
import { OPTIONS, variableOf } from './option-table.js';
import type { CommandLine } from './options.js';

/** All options of a run, from wherever they come. */
export interface Settings {
  readonly values: OptionValues;
  /** Where each value comes from: `command line`, a variable or a file. What is absent is a default. */
  readonly origins: Readonly<Partial<Record<OptionKey, string>>>;
  /** The builder files of the project. */
  readonly builders: readonly string[];
  /** What whoever started the run should know. */
  readonly warnings: readonly string[];
}

/** A variable has a value that is not allowed. */
class SettingError extends MaggmaError {
  override get name() {
    return 'SettingError' as const;
  }
  override get code() {
    return 'INVALID_SETTING' as const;
  }

  constructor(variable: string, expected: string, value: string) {
    super(`${variable}: expected ${expected}, it is ${showValue(value)}`);
  }
}

/** Names the config file. */
const CONFIG_VARIABLE = variableOf('config');

/**
 * Puts together what was said: the command line wins over variables, and they over the config file.
 *
 * @throws {@link SettingError} for a variable whose value is not allowed.
 * @throws {@link FileFormatError} for such a config file.
 */
export async function settle(line: CommandLine, env: NodeJS.ProcessEnv): Promise<Settings> {
  const file = line.config ?? (env[CONFIG_VARIABLE] || undefined);
  const config = file === false ? undefined : await readConfig(file);
  const values: Partial<Record<OptionKey, unknown>> = {};
  const origins: Partial<Record<OptionKey, string>> = {};
  for (const key of Object.keys(OPTIONS) as OptionKey[]) {
    const spec: OptionSpec = OPTIONS[key];
    const variable = variableOf(key);
    const candidates = [
      ['command line', line.given[key]],
      [variable, ofVariable(variable, env[variable], spec)],
      [config?.file ?? '', config?.options[key]],
    ] as const;
    const winner = candidates.find(([, value]) => value !== undefined);
    if (winner === undefined) continue;
    [origins[key]] = winner;
    // `--no-retries` means what holds without a word.
    if (spec.isSwitch || winner[1] !== false) values[key] = winner[1];
  }
  return {
    values: values as OptionValues,
    origins,
    builders: config?.builders ?? [],
    warnings: (config?.ignored ?? []).map(
      (other) => `${other} does not count, because there is ${config?.file}`,
    ),
  };
}

function ofVariable(variable: string, text: string | undefined, spec: OptionSpec): unknown {
  if (text === undefined || text === '') return undefined;
  const value = spec.parse(text);
  if (value === undefined) throw new SettingError(variable, spec.expected, text);
  return value;
}
