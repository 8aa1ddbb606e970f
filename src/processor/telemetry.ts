import type { ProxyTracerProvider } from '@opentelemetry/api';
import type { BuildReport } from '../builder/build-report.js';
import { toPortable } from '../errors/error-transfer.js';
import { redact } from '../errors/redact.js';
import { importPeer } from '../util/import-peer.js';
import { createLogger } from '../util/logger.js';
import { settledWithin } from '../util/turn.js';
import type { BuildMonitor } from './build-monitor.js';
import type { TelemetryApi } from './build-telemetry.js';
import { BuildTelemetry } from './build-telemetry.js';

/** Where an SDK of OpenTelemetry registers itself: the same for all copies of its API. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');
/** How long a collector that does not answer may hold up the end of a process. */
const FLUSH_MS = 5000;
const logger = createLogger('OpenTelemetry');

/**
 * Runs a build, and lets the application's OpenTelemetry SDK know of it.
 *
 * Without an SDK nothing is loaded. One that fails is logged, and breaks no build.
 */
export async function observed(
  monitor: BuildMonitor,
  execute: () => Promise<BuildReport>,
): Promise<BuildReport> {
  const api = isRegistered() ? await loadApi() : undefined;
  const telemetry = api && attempt(() => new BuildTelemetry(api, monitor));
  if (telemetry === undefined) return execute();
  monitor.onSettled = (end, items) => attempt(() => telemetry.settled(end, items));
  const finish = (report: BuildReport) => {
    attempt(() => telemetry.ended(report));
    attempt(() => telemetry.endStages());
    attempt(() => telemetry.end(report));
  };
  let running: Promise<BuildReport> | undefined;
  const start = () => {
    running ??= execute();
  };
  attempt(() => telemetry.within(start));
  try {
    const report = await (running ?? execute());
    finish(report);
    return report;
  } catch (error) {
    const { report = monitor.report('failed', error) } = Object(error) as { report?: BuildReport };
    finish(report);
    throw error;
  }
}

/** Makes the SDK hand on what it holds, where a process is ended that does not end by itself. */
export async function flushTelemetry(): Promise<void> {
  const api = isRegistered() ? await loadApi() : undefined;
  if (api === undefined) return;
  const tracing = api.trace.getTracerProvider() as Partial<ProxyTracerProvider>;
  const providers: readonly Flushable[] = [
    tracing.getDelegate?.() as Flushable,
    api.metrics.getMeterProvider() as Flushable,
  ];
  const flushing = providers.map((provider) =>
    Promise.resolve(attempt(() => provider?.forceFlush?.())).catch(warn),
  );
  await settledWithin(Promise.all(flushing), FLUSH_MS);
}

/** What providers of an SDK are, and those of the API alone are not. */
type Flushable = { forceFlush?(): Promise<void> } | undefined;

const isRegistered = (): boolean => REGISTRY in globalThis;

async function loadApi(): Promise<TelemetryApi | undefined> {
  try {
    return await importPeer('@opentelemetry/api', 'Tracing', () => import('@opentelemetry/api'));
  } catch (error) {
    warn(error);
    return undefined;
  }
}

/** Calls the SDK. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    warn(error);
    return undefined;
  }
}

function warn(error: unknown): void {
  logger.warn(`OpenTelemetry failed: ${redact(toPortable(error).message)}`);
}
