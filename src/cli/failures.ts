import type { FailureRecord } from '../builder/failure-record.js';
import { showValue } from '../errors/show-value.js';
import type { CommandOutput } from './command-output.js';
import { ExitCode } from './exit-code.js';
import { formatTime } from './format-log.js';
import { jsonLine } from './json-line.js';
import { loadBuilders } from './load-builders.js';
import { oneLine } from './printable.js';
import { formatTable } from './table.js';

const SHOWN = 20;
/** Where there is less room, the error has it. */
const WIDE_ENOUGH_FOR_TIMES = 60;

/** What of the failures is shown, and how. */
export interface FailuresRequest {
  /** The builder files. */
  readonly files: readonly string[];
  /**
   * Whether lines are JSON objects, with all that is known.
   *
   * @defaultValue `false`
   */
  readonly json?: boolean;
  /**
   * How many of each builder.
   *
   * @defaultValue 20, or all as JSON
   */
  readonly limit?: number;
}

/** The first failures of a builder, and how many there are. */
interface Found {
  readonly builder: string;
  readonly shown: readonly FailureRecord[];
  readonly count: number;
}

/**
 * Lists what the targets of builders remember of items that failed. Nothing is written to any store.
 *
 * @returns The code to exit with.
 */
export async function showFailures(
  { files, json = false, limit = json ? Infinity : SHOWN }: FailuresRequest,
  output: CommandOutput,
): Promise<ExitCode> {
  let builders: Awaited<ReturnType<typeof loadBuilders>>;
  try {
    builders = await loadBuilders(files);
  } catch (error) {
    output.fail(error);
    return ExitCode.Usage;
  }
  let code: ExitCode = ExitCode.Ok;
  for (const each of builders) {
    const builder = each.constructor.name;
    try {
      const failures = each.failures();
      if (failures === null) output.note(`${builder} keeps no record of what failed\n`);
      else if (json) await writeJson(builder, failures, limit, output);
      else await writeTable(await collect(builder, failures, limit), output);
    } catch (error) {
      output.fail(error);
      code = ExitCode.BuildFailed;
    }
  }
  return code;
}

/** Each as soon as it is known: there may be many, and they may have stacks. */
async function writeJson(
  builder: string,
  failures: AsyncIterable<FailureRecord>,
  limit: number,
  output: CommandOutput,
): Promise<void> {
  let count = 0;
  for await (const failure of failures)
    if (++count <= limit) await output.write(jsonLine({ builder, ...failure }));
  await output.write(jsonLine({ builder, failed: count }));
}

async function collect(
  builder: string,
  failures: AsyncIterable<FailureRecord>,
  limit: number,
): Promise<Found> {
  const shown: FailureRecord[] = [];
  let count = 0;
  for await (const failure of failures) if (++count <= limit) shown.push(failure);
  return { builder, shown, count };
}

async function writeTable({ builder, shown, count }: Found, output: CommandOutput): Promise<void> {
  const { columns = Infinity } = output;
  const isCounted = shown.some(({ attempts }) => attempts !== undefined);
  const isTimed = columns >= WIDE_ENOUGH_FOR_TIMES;
  const row = (key: string, attempts: string, last: string, error: string) => [
    key,
    ...(isCounted ? [attempts] : []),
    ...(isTimed ? [last] : []),
    error,
  ];
  const rows = shown.map(({ key, attempts = '', last, error }) => {
    const time = formatTime(last).slice(0, -',000'.length);
    const message = typeof error === 'string' ? error : showValue(error);
    return row(showValue(key), String(attempts), time, message);
  });
  const table = [row('key', 'attempts', 'last', 'error'), ...rows];
  if (rows.length > 0)
    await output.write(formatTable(table, { columns, align: isCounted ? ['left', 'right'] : [] }));
  const others = count - shown.length;
  const more = others > 0 ? `, ${others} of them not shown (--limit ${count} shows all)` : '';
  await output.write(
    oneLine(`${builder}: ${count === 0 ? 'nothing' : count} failed${more}`).concat('\n'),
  );
}
