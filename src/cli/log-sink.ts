import type { Sink } from '@logtape/logtape';
import { configureSync, getConfig } from '@logtape/logtape';
import { formatRecord } from './format-log.js';
import type { Screen } from './screen.js';

/**
 * Sends the library's and the builders' log lines to a screen.
 *
 * A script that has configured LogTape itself keeps its own configuration: ours is added, unless it already says where
 * our lines go, or has sinks that do not survive being configured again.
 *
 * @param verbosity - 0 for warnings and errors, 1 for what happens, 2 or more for everything.
 */
export function configureLog(screen: Screen, verbosity: number): void {
  const { sinks = {}, loggers = [], ...others } = getConfig() ?? {};
  const isOurs = loggers.some(({ category }) => [category].flat()[0] === 'maggma');
  if (isOurs || Object.values(sinks).some(isDisposable)) return;
  const lowestLevel = verbosity > 1 ? 'debug' : verbosity > 0 ? 'info' : 'warning';
  const hasMeta = loggers.some(({ category }) => [category].flat()[0] === 'logtape');
  configureSync({
    ...others,
    reset: true,
    sinks: { ...sinks, mrun: (record) => screen.print(formatRecord(record, verbosity > 1)) },
    loggers: [
      ...loggers,
      { category: ['maggma'], lowestLevel, sinks: ['mrun'] },
      ...(hasMeta
        ? []
        : [{ category: ['logtape', 'meta'], lowestLevel: 'warning' as const, sinks: ['mrun'] }]),
    ],
  });
}

function isDisposable(sink: Sink): boolean {
  return Symbol.dispose in sink || Symbol.asyncDispose in sink;
}
