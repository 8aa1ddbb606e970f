import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { CopyBuilder } from '../../src/builder/copy-builder.js';
import { MapBuilder } from '../../src/builder/map-builder.js';
import { chooseProcessor } from '../../src/cli/choose-processor.js';
import type { RunRequest } from '../../src/cli/options.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';

/** A class of nobody: it cannot be written. */
class Undecorated extends MapBuilder {
  override unaryFunction() {
    return {};
  }
}

/** Reads its stores where its items are processed. */
class Looking extends CopyBuilder {
  override get processUsesStores() {
    return true;
  }
}

const make = (Class: typeof CopyBuilder | typeof Undecorated, timeout = 0) =>
  new Class(new MemoryStore(), new MemoryStore(), { timeout });
const choose = (
  request: Partial<RunRequest>,
  ...builders: (CopyBuilder | Undecorated)[]
): { name: string; warnings: readonly string[] } => {
  const choice = chooseProcessor({ files: [], verbosity: 0, ...request }, builders);
  return { name: choice.processor.constructor.name, warnings: choice.warnings };
};

describe('items are processed', () => {
  test.each([
    ['in this thread without -n', {}, [0], 'SerialProcessor'],
    ['in this thread with -n 1', { numWorkers: 1 }, [0], 'SerialProcessor'],
    ['in workers with -n 2', { numWorkers: 2 }, [0], 'MultiProcessor'],
    ['in a worker when they have a time limit', {}, [1], 'MultiProcessor'],
    ['in a worker where they have a time limit', {}, [1, 0], 'MixedProcessor'],
    ['in a worker with --isolation', { isolation: 'process' }, [0], 'MultiProcessor'],
    [
      'elsewhere with --url and -N',
      { url: 'tcp://127.0.0.1:7417', numChunks: 5 },
      [0, 1],
      'DistributedProcessor',
    ],
    ['in a worker with a memory limit', { maxWorkerMemoryMb: 100 }, [0], 'MultiProcessor'],
  ] as const)('%s', (_, request, timeouts, name) => {
    const builders = timeouts.map((timeout) => make(CopyBuilder, timeout));
    expect(choose(request, ...builders)).toEqual({ name, warnings: [] });
  });

  test.each([
    [
      'its class is not known',
      Undecorated,
      /^Undecorated: its time limit .* busy loop, because .*/,
    ],
    ['its stores cannot be seen there', Looking, /^Looking: .* uses its stores in processItem/],
  ])('in this thread, with a warning, when a worker cannot: %s', (_, Class, warning) => {
    expect(choose({}, make(Class, 1))).toEqual({
      name: 'SerialProcessor',
      warnings: [expect.stringMatching(warning)],
    });
    expect(choose({}, make(Class), make(CopyBuilder, 1)).name).toBe('MixedProcessor');
  });

  test.each([
    ['-n 2', { numWorkers: 2 }, 0],
    ['-n 1 and a time limit', { numWorkers: 1 }, 1],
    ['--isolation', { isolation: 'thread' }, 0],
  ] as const)('nowhere when a worker was asked for and cannot: %s', (_, request, timeout) => {
    for (const Class of [Undecorated, Looking])
      expect(() => choose(request, make(CopyBuilder), make(Class, timeout))).toThrow(
        `${Class.name} cannot run in workers: `,
      );
  });

  test('by far more workers than cores with a warning', () => {
    const most = 4 * availableParallelism();
    expect(choose({ numWorkers: most }, make(CopyBuilder)).warnings).toEqual([]);
    expect(choose({ numWorkers: most + 1 }, make(CopyBuilder)).warnings).toEqual([
      expect.stringMatching(/^-n \d+: this machine runs \d+ at a time; /),
    ]);
  });
});
