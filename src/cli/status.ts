import type { RecordedBuild } from '../reporting/build-history.js';
import { readBuilds } from '../reporting/build-history.js';
import { defaultSpoolFolder } from '../reporting/reporter-options.js';
import { countWaiting, spoolFolderOf } from '../reporting/spool.js';
import type { Store } from '../store/store.js';
import { colourOf } from './colours.js';
import type { CommandOutput } from './command-output.js';
import { ExitCode } from './exit-code.js';
import { jsonLine } from './json-line.js';
import { loadReportingStore } from './reporting-store.js';
import { buildFields, statusTable } from './status-rows.js';

/** As many as a screen shows. */
const NEWEST = 20;
/** A table is written in parts of so many rows: there may be more builds than memory. */
const ROWS = 500;

/** What `mrun status` is asked for. */
export interface StatusRequest {
  /** The file that describes the reporting store. */
  readonly file: string;
  /**
   * Whether lines are JSON objects.
   *
   * @defaultValue `false`
   */
  readonly json?: boolean;
  /**
   * All builds, instead of the newest 20.
   *
   * @defaultValue `false`
   */
  readonly all?: boolean;
}

/**
 * Shows the builds of a reporting store, the newest first.
 *
 * @returns The code to exit with: 2 for a file that holds no store, 1 for a store that cannot be read.
 */
export async function showStatus(
  { file, json = false, all = false }: StatusRequest,
  output: CommandOutput,
): Promise<ExitCode> {
  let store: Store;
  try {
    store = await loadReportingStore(file);
  } catch (error) {
    output.fail(error);
    return ExitCode.Usage;
  }
  try {
    await store.connect();
    const write = json ? writeLines : writeTables;
    const count = await write(readBuilds(store, { limit: all ? 0 : NEWEST }), output);
    if (count === 0) output.note(`no builds are recorded in ${store.name}\n`);
    if (!all && count === NEWEST) output.note(`the newest ${NEWEST} builds (--all shows all)\n`);
    await noteWaiting(store, output);
    return ExitCode.Ok;
  } catch (error) {
    output.fail(error);
    return ExitCode.BuildFailed;
  } finally {
    await store.close();
  }
}

async function writeLines(
  builds: AsyncIterable<RecordedBuild>,
  output: CommandOutput,
): Promise<number> {
  let count = 0;
  for await (const build of builds) {
    count++;
    await output.write(jsonLine(buildFields(build)));
  }
  return count;
}

async function writeTables(
  builds: AsyncIterable<RecordedBuild>,
  output: CommandOutput,
): Promise<number> {
  let count = 0;
  let rows: RecordedBuild[] = [];
  const flush = async () => {
    if (rows.length > 0)
      await output.write(statusTable(rows, output.columns, colourOf(process.stdout)));
    rows = [];
  };
  for await (const build of builds) {
    count++;
    rows.push(build);
    if (rows.length === ROWS) await flush();
  }
  await flush();
  return count;
}

/** What is missing above although it happened. */
async function noteWaiting({ identity }: Store, { note }: CommandOutput): Promise<void> {
  const folder = spoolFolderOf(identity, defaultSpoolFolder());
  const waiting = await countWaiting(folder);
  if (waiting > 0)
    note(
      `${waiting} ${waiting === 1 ? 'event waits' : 'events wait'} in ${folder}: the next run that reports to this store writes them\n`,
    );
}
