import { redact } from '../errors/redact.js';
import { printJson } from '../msonable/json-writer.js';
import type { PlainValue } from '../msonable/plain-value.js';
import { chooseProcessor } from './choose-processor.js';
import type { CommandOutput } from './command-output.js';
import type { ShownBuilder, ShownObject, ShownStore } from './describe-builders.js';
import { describeBuilders } from './describe-builders.js';
import { ExitCode } from './exit-code.js';
import { loadBuilderFiles } from './load-builders.js';
import type { OptionSpec } from './option-table.js';
import { OPTIONS, optionsOf } from './option-table.js';
import type { RunRequest } from './options.js';
import { oneLine } from './printable.js';
import type { RunRole } from './run-role.js';
import { createWorker } from './run-worker.js';
import type { Settings } from './settings.js';
import { formatTable } from './table.js';

/** What is longer of an option is cut. */
const LONGEST = 60;

/** What `mrun show` is asked for. */
export interface ShowRequest {
  /** The run to show. */
  readonly request: RunRequest;
  readonly role: RunRole;
  /** Where its options come from. */
  readonly settings: Settings;
  readonly json?: boolean;
}

interface ShownOption {
  readonly value: PlainValue;
  /** `command line`, the variable, the file, or `default`. */
  readonly origin: string;
}

interface Shown {
  readonly builders: readonly ShownBuilder[];
  readonly role: RunRole;
  /** Where manager and workers meet, without passwords. */
  readonly engine: string | null;
  /** What processes the items, or has them processed. */
  readonly processor: string;
  readonly options: Readonly<Record<string, ShownOption>>;
}

/**
 * Shows what would be run: builders and their stores with all options, secrets masked, and the options of the run with
 * where they come from. Nothing is reached.
 *
 * @returns 2 when it could not be run like this.
 */
export async function showBuilders(
  { request, role, settings, json = false }: ShowRequest,
  output: CommandOutput,
): Promise<ExitCode> {
  let shown: Shown;
  try {
    const files = await loadBuilderFiles(request.files);
    const builders = files.flatMap((file) => file.builders);
    shown = {
      builders: describeBuilders(files),
      role,
      engine: request.url === undefined ? null : redact(request.url),
      processor:
        role === 'worker'
          ? createWorker(request).constructor.name
          : chooseProcessor(request, builders).processor.constructor.name,
      options: describeOptions(settings),
    };
  } catch (error) {
    output.fail(error);
    return ExitCode.Usage;
  }
  await output.write(json ? jsonOf(shown) : textOf(shown, output.columns));
  return ExitCode.Ok;
}

function describeOptions({ values, origins }: Settings): Record<string, ShownOption> {
  const shown = optionsOf('run').map((key) => {
    const { fallback }: OptionSpec = OPTIONS[key];
    const value = (values[key] ?? fallback) as PlainValue;
    return [key, { value, origin: origins[key] ?? 'default' }] as const;
  });
  return Object.fromEntries(shown);
}

function jsonOf(shown: Shown): string {
  const plain = redacted(shown as unknown as PlainValue);
  return `${printJson(plain, { indent: 2 })}\n`;
}

function redacted(value: PlainValue): PlainValue {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redacted(each)]));
}

function textOf({ builders, options, ...run }: Shown, columns: number | undefined): string {
  const rows = Object.entries(options).map(([key, { value, origin }]) => [
    key,
    value === null ? 'none' : redact(String(value)),
    origin,
  ]);
  return [
    ...builders.map((builder, i) => builderText(builder, i + 1, columns)),
    `${placeOf(run)}, with these options:\n`,
    formatTable([['option', 'value', 'from'], ...rows], { columns }),
  ].join('\n');
}

function placeOf({
  role,
  engine,
  processor,
}: Pick<Shown, 'role' | 'engine' | 'processor'>): string {
  if (role === 'local') return `Items are processed by a ${processor}`;
  if (role === 'worker') return `A ${processor} builds chunks for the manager at ${engine}`;
  return `A ${processor} is the manager for workers at ${engine}`;
}

function builderText(builder: ShownBuilder, number: number, columns: number | undefined): string {
  const { file, sources, targets, reads } = builder;
  const storeRow = (role: string) => (store: ShownStore) => [
    role,
    `${store.class} ${store.name}`,
    optionsText(store),
  ];
  const rows = [
    [`${number}.`, `${builder.class} of ${file}`, optionsText(builder)],
    ...classRow(builder),
    ...sources.map(storeRow('source')),
    ...targets.map(storeRow('target')),
    ...reads.map((other) => ['reads', `the targets of ${other}.`, '']),
  ];
  return formatTable(rows, { columns });
}

function classRow({ module, version }: ShownObject): string[][] {
  if (module === undefined) return [];
  return [['class', module, version === null ? '' : `version ${version}`]];
}

/** `key: "k", read_only: false`. */
function optionsText({ options }: ShownObject): string {
  if (options === undefined) return '(its class is not MSONable)';
  return Object.entries(options)
    .map(([name, value]) => `${name}: ${oneLine(briefly(value), LONGEST)}`)
    .join(', ');
}

/** JSON, with only the class of an object. */
function briefly(value: PlainValue): string {
  if (Array.isArray(value)) return `[${value.map(briefly).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return printJson(value, { ensureAscii: false });
  if ('@class' in value) return String(value['@class']);
  const members = Object.entries(value).map(([name, each]) => `${name}: ${briefly(each)}`);
  return `{${members.join(', ')}}`;
}
