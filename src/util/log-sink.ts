import type { LogLevel, Sink } from '@logtape/logtape';
import { compareLogLevel, configureSync, getConfig, resetSync } from '@logtape/logtape';

/**
 * Adds a sink for the log lines of this package and of builders.
 *
 * Whoever has configured LogTape keeps the configuration: ours is added, unless it already says where these lines go, or
 * has sinks that do not survive being configured again.
 *
 * @param name - Name of the sink.
 * @param lowestLevel - What is below it is dropped.
 * @returns Whether it was added.
 */
export function addLogSink(name: string, sink: Sink, lowestLevel: LogLevel): boolean {
  const { sinks = {}, loggers = [], ...others } = getConfig() ?? {};
  const isOurs = loggers.some(({ category }) => [category].flat()[0] === 'maggma');
  if (isOurs || Object.values(sinks).some(isDisposable)) return false;
  const hasMeta = loggers.some(({ category }) => [category].flat()[0] === 'logtape');
  const ours = { category: ['maggma'], lowestLevel, sinks: [name] };
  const meta = { category: ['logtape', 'meta'], lowestLevel: 'warning' as const, sinks: [name] };
  configureSync({
    ...others,
    reset: true,
    sinks: { ...sinks, [name]: sink },
    loggers: [...loggers, ours, ...(hasMeta ? [] : [meta])],
  });
  return true;
}

/** Takes away a sink that {@link addLogSink} added. Harmless when there is none, or it has been taken away. */
export function removeLogSink(name: string): void {
  const { sinks = {}, loggers = [], ...others } = getConfig() ?? {};
  if (!Object.hasOwn(sinks, name)) return;
  const { [name]: _, ...kept } = sinks;
  const left = loggers.filter(
    (logger) => !(logger.sinks?.length === 1 && logger.sinks[0] === name),
  );
  if (left.length === 0) resetSync();
  else configureSync({ ...others, reset: true, sinks: kept, loggers: left });
}

/** The lowest level of which this process wants to see anything; null when it wants nothing. */
export function lowestLevelWanted(): LogLevel | null {
  const levels = (getConfig()?.loggers ?? []).map(({ lowestLevel = 'trace' }) => lowestLevel);
  return levels
    .filter((level) => level !== null)
    .reduce<LogLevel | null>(
      (lowest, level) => (lowest === null || compareLogLevel(level, lowest) < 0 ? level : lowest),
      null,
    );
}

function isDisposable(sink: Sink): boolean {
  return Symbol.dispose in sink || Symbol.asyncDispose in sink;
}
