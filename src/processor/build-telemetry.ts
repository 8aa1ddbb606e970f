import type {
  Attributes,
  Context,
  Counter,
  Histogram,
  HrTime,
  Span,
  Tracer,
} from '@opentelemetry/api';
import type { BuildReport } from '../builder/build-report.js';
import { redact } from '../errors/redact.js';
import { enclosingPackage } from '../msonable/package-info.js';
import type { BuildMonitor, ItemEnd } from './build-monitor.js';

/** The API of OpenTelemetry, of which only types are imported. */
export type TelemetryApi = typeof import('@opentelemetry/api');

const DURATIONS_S = [0.1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600];

/** One build as OpenTelemetry sees it: a span, one for each stage in it, counters. */
export class BuildTelemetry {
  readonly #api: TelemetryApi;
  readonly #monitor: BuildMonitor;
  /** From the clock of `performance.now()` to the time of day: one for the build and its stages. */
  readonly #offset = Date.now() - performance.now();
  readonly #builder: string;
  readonly #items: Counter;
  readonly #builds: Counter;
  readonly #duration: Histogram;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;

  constructor(api: TelemetryApi, monitor: BuildMonitor) {
    this.#api = api;
    this.#monitor = monitor;
    const { builder, buildId } = monitor.identity();
    this.#builder = builder;
    const version = enclosingPackage(import.meta.dirname)?.version ?? undefined;
    const meter = api.metrics.getMeter('maggma', version);
    this.#items = meter.createCounter('maggma.items', {
      description: 'Items that came to their end',
      unit: '{item}',
    });
    this.#builds = meter.createCounter('maggma.builds', {
      description: 'Builds that ended',
      unit: '{build}',
    });
    this.#duration = meter.createHistogram('maggma.build.duration', {
      description: 'How long builds took',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATIONS_S },
    });
    this.#tracer = api.trace.getTracer('maggma', version);
    this.#span = this.#tracer.startSpan(`build ${builder}`, {
      startTime: this.#time(performance.now()),
      attributes: { 'maggma.builder': builder, 'maggma.build.id': buildId },
    });
    this.#context = api.trace.setSpan(api.context.active(), this.#span);
  }

  /** Makes the span of the build the active one of whatever is run. */
  within(run: () => void): void {
    this.#api.context.with(this.#context, run);
  }

  /** Counts items. */
  settled(outcome: ItemEnd, items: number): void {
    this.#items.add(items, { 'maggma.builder': this.#builder, 'maggma.outcome': outcome });
  }

  /** Counts the build. */
  ended({ status, durationMs }: BuildReport): void {
    const attributes = { 'maggma.builder': this.#builder, 'maggma.status': status };
    this.#builds.add(1, attributes);
    this.#duration.record(durationMs / 1000, attributes);
  }

  /** Makes a span of each stage that was at work, from its first work to its last. */
  endStages(): void {
    for (const [stage, { busyMs, first, last }] of Object.entries(this.#monitor.stages)) {
      if (first > last) continue;
      const options = {
        startTime: this.#time(first),
        attributes: { 'maggma.builder': this.#builder, 'maggma.stage.busy_ms': busyMs },
      };
      this.#tracer.startSpan(stage, options, this.#context).end(this.#time(last));
    }
  }

  /** Ends the span of the build. */
  end(report: BuildReport): void {
    const { status, error } = report;
    this.#span.setAttributes(attributesOf(report));
    if (status === 'failed' && error !== undefined) {
      const { name, stack } = error;
      const message = redact(error.message);
      this.#span.recordException({ name, message, ...(stack && { stack: redact(stack) }) });
      this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message });
    }
    this.#span.end(this.#time(performance.now()));
  }

  #time(atMs: number): HrTime {
    const ms = this.#offset + atMs;
    return [Math.floor(ms / 1000), Math.floor((ms % 1000) * 1e6)];
  }
}

function attributesOf(report: BuildReport): Attributes {
  const { status, total, processed, succeeded, failed, skipped, invalid } = report;
  return {
    'maggma.sources': report.sources,
    'maggma.targets': report.targets,
    'maggma.status': status,
    ...(total !== null && { 'maggma.items.total': total }),
    'maggma.items.processed': processed,
    'maggma.items.succeeded': succeeded,
    'maggma.items.failed': failed,
    'maggma.items.skipped': skipped,
    'maggma.items.invalid': invalid,
    'maggma.errors': report.errors,
    'maggma.warnings': report.warnings,
  };
}
