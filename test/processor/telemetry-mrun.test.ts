import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import type { Project } from '../cli/mrun-process.js';
import { countingBuilder, test } from '../cli/mrun-process.js';

const ROOT = new URL('../../', import.meta.url);

/** Tells, at the end of a process, whether the API was loaded in any way. */
const LOADED = `
  import { createRequire } from 'node:module';
  const loaded = Object.keys(createRequire('/').cache);
  console.log(loaded.some((file) => file.includes('/@opentelemetry/api/')));`;

/** Runs a build in a process of its own; what the script prints. */
function build(before: string): string {
  const script = `
    ${before}
    const { CopyBuilder, MemoryStore } = await import(${JSON.stringify(new URL('dist/index.js', ROOT).href)});
    const report = await new CopyBuilder(new MemoryStore(), new MemoryStore()).run();
    console.log(report.status);
    ${LOADED}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

describe('the API of OpenTelemetry', () => {
  test('is not loaded without an SDK', () => {
    expect(build('')).toBe('succeeded\nfalse\n');
  });

  test('is loaded with one', () => {
    const registry = `globalThis[Symbol.for('opentelemetry.js.api.1')] = { version: '1.9.0' };`;
    expect(build(registry)).toBe('succeeded\ntrue\n');
  });
});

/** An SDK that hands on late, as they do, and writes what it hands on to files. */
const SDK = `
  import { appendFileSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';

  const exporter = (file, linesOf) => ({
    async export(data, done) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const line of linesOf(data)) appendFileSync(file, line + '\\n');
      done({ code: 0 });
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  });
  const spans = exporter('spans.txt', (spans) =>
    spans.map(({ name, attributes }) => [name, attributes['maggma.items.succeeded'] ?? 'in it'].join(' ')));
  const metricsOf = ({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics);
  const items = exporter('metrics.txt', (data) =>
    metricsOf(data)
      .filter(({ descriptor }) => descriptor.name === 'maggma.items')
      .flatMap(({ dataPoints }) => dataPoints)
      .map(({ attributes, value }) => Object.values(attributes).join(' ') + ' ' + value));

  // Workers have nothing to tell.
  if (isMainThread) {
    const { metrics, trace } = await import('@opentelemetry/api');
    const { MeterProvider, PeriodicExportingMetricReader } = await import('@opentelemetry/sdk-metrics');
    const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(spans)] }));
    metrics.setGlobalMeterProvider(
      new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: items })] }));
  }
`;

function addSdk(project: Project): void {
  symlinkSync(
    new URL('node_modules/@opentelemetry', ROOT),
    path.join(project.folder, 'node_modules/@opentelemetry'),
    'dir',
  );
  project.write('otel.mjs', SDK);
}

const linesOf = (project: Project, file: string): string[] =>
  readFileSync(path.join(project.folder, file), 'utf8').trim().split('\n').sort();

describe('mrun', () => {
  test.for(['-n 1', '-n 2'])(
    'with an SDK hands on everything before it exits: %s',
    async (options, { project }) => {
      addSdk(project);
      project.write('b.json', countingBuilder({ items: 20, fail_every: 5 }));
      const line = `NODE_OPTIONS='--import ./otel.mjs' $mrun --no-bars ${options} b.json`;
      const { code, stderr } = await project.shell(line).finished;
      expect(code, stderr).toBe(3);
      expect(linesOf(project, 'spans.txt')).toEqual([
        'build CountingBuilder 16',
        'get in it',
        'process in it',
        'update in it',
      ]);
      expect(linesOf(project, 'metrics.txt')).toEqual([
        'CountingBuilder failed 4',
        'CountingBuilder succeeded 16',
      ]);
    },
  );
});
