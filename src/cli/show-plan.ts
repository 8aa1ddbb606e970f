import type { PlanEntry } from '../builder/build-plan.js';
import type { AnyBuilder } from '../builder/builder.js';
import { InvalidBuilderError } from '../errors/builder-errors.js';
import { showValue } from '../errors/show-value.js';
import type { CommandOutput } from './command-output.js';
import { ExitCode } from './exit-code.js';
import { jsonLine } from './json-line.js';
import { printable } from './printable.js';

/** `build new` → how many. */
type Counts = Map<string, number>;

/**
 * Writes what a run would do and why: a line for each key as soon as it is known, and the counts at the end. Nothing is
 * written to any store.
 *
 * @param json - Lines are JSON objects.
 * @returns The code to exit with.
 */
export async function showPlans(
  builders: readonly AnyBuilder[],
  json: boolean,
  output: CommandOutput,
): Promise<ExitCode> {
  let code: ExitCode = ExitCode.Ok;
  for (const builder of builders) {
    const { name } = builder.constructor;
    const counts: Counts = new Map();
    try {
      for await (const entry of builder.plan()) {
        const { action, reason, key } = entry;
        const kind = `${action} ${reason}`;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        await output.write(
          json ? jsonLine({ builder: name, action, reason, key }) : textLine(entry),
        );
      }
      await output.write(
        json
          ? jsonLine({ builder: name, counts: Object.fromEntries(counts) })
          : textCounts(name, counts),
      );
    } catch (error) {
      output.fail(error);
      code = error instanceof InvalidBuilderError ? ExitCode.Usage : ExitCode.BuildFailed;
    }
  }
  return code;
}

const textLine = ({ action, reason, key }: PlanEntry): string =>
  printable(`${action.padEnd(6)}  ${reason.padEnd(9)}  ${showValue(key)}\n`);

/** `MultiplyBuilder: 12 to build (10 new, 2 newer), 3 to delete (3 orphan)`. */
function textCounts(name: string, counts: Counts): string {
  const parts = (['build', 'delete', 'leave'] as const).flatMap((action) => {
    const kinds = [...counts].filter(([kind]) => kind.startsWith(`${action} `));
    if (kinds.length === 0) return [];
    const total = kinds.reduce((sum, [, count]) => sum + count, 0);
    const reasons = kinds.map(([kind, count]) => `${count} ${kind.slice(action.length + 1)}`);
    const what = action === 'leave' ? 'left alone' : `to ${action}`;
    return [`${total} ${what} (${reasons.join(', ')})`];
  });
  return `${name}: ${parts.length === 0 ? 'everything is up to date' : parts.join(', ')}\n`;
}
