import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { configureSync, getConfig, resetSync } from '@logtape/logtape';
import { afterEach, describe, expect, test } from 'vitest';
import type { Doc, LogEntry } from '../../src/index.js';
import { InvalidOptionError, logTo, MapBuilder, MemoryStore } from '../../src/index.js';

class HalvingBuilder extends MapBuilder {
  unaryFunction({ n }: Doc) {
    this.logger.debug('halving', { n });
    if (n % 2 === 1) throw new RangeError(`{n} of mongodb://me:hunter2@host is odd`);
    return { half: n / 2 };
  }
}

async function build(): Promise<void> {
  const source = new MemoryStore({ key: 'n' });
  await source.connect();
  await source.update([1, 2].map((n) => ({ n, last_updated: new Date(0) })));
  await new HalvingBuilder(source, new MemoryStore({ key: 'n' })).run();
}

/** Keeps what it is given. */
function keeper() {
  const entries: LogEntry[] = [];
  return { entries, write: (entry: LogEntry) => void entries.push(entry) };
}

afterEach(() => resetSync());

describe('logTo', () => {
  test('passes on the lines of builders and of the library, from the level on', async () => {
    const { entries, write } = keeper();
    const end = logTo(write);
    await build();
    end();
    expect(entries.map(({ logger, level }) => `${logger} ${level}`)).toEqual([
      'SerialProcessor info',
      'SerialProcessor error',
      'SerialProcessor info',
      'SerialProcessor info',
    ]);
    const [first, failed] = entries;
    expect(first?.message).toBe('Starting HalvingBuilder');
    expect(first?.time).toBeInstanceOf(Date);
    expect(failed?.message).toBe(
      'HalvingBuilder: item 1 failed: {n} of mongodb://me:***@host is odd',
    );
    expect(failed?.properties).toMatchObject({ builder: 'HalvingBuilder', key: 1 });
    expect(failed?.properties['stack']).toContain('RangeError');
    expect(JSON.stringify(entries)).not.toContain('hunter2');
  });

  test('serves several at their own levels, until each is ended', async () => {
    const all = keeper();
    const errors = keeper();
    const endAll = logTo(all.write, { level: 'debug' });
    const endErrors = logTo(errors.write, { level: 'error' });
    await build();
    expect(errors.entries).toHaveLength(1);
    expect(all.entries.filter(({ level }) => level === 'debug')).toMatchObject([
      { logger: 'HalvingBuilder', message: 'halving', properties: { n: 1 } },
      { logger: 'HalvingBuilder', message: 'halving', properties: { n: 2 } },
    ]);
    endAll();
    endAll();
    await build();
    expect(errors.entries).toHaveLength(2);
    endErrors();
    await build();
    expect(errors.entries).toHaveLength(2);
    expect(all.entries).toHaveLength(6);
    expect(getConfig()).toBeNull();
  });

  test('leaves the configuration of the application as it was', () => {
    const config = {
      sinks: { own: () => {} },
      loggers: [
        { category: 'mine', sinks: ['own'] },
        { category: ['logtape', 'meta'], sinks: ['own'], lowestLevel: 'error' as const },
      ],
    };
    configureSync(config);
    const end = logTo(() => {});
    expect(getConfig()?.loggers).toHaveLength(3);
    end();
    expect(getConfig()?.loggers).toEqual(config.loggers);
    expect(Object.keys(getConfig()?.sinks ?? {})).toEqual(['own']);
  });

  test('refuses where LogTape leaves no room for it', () => {
    configureSync({
      sinks: { own: () => {} },
      loggers: [
        { category: 'maggma', sinks: ['own'] },
        { category: ['logtape', 'meta'], sinks: ['own'], lowestLevel: 'error' },
      ],
    });
    expect(() => logTo(() => {})).toThrow(InvalidOptionError);
    expect(() => logTo(() => {})).toThrow(/"maggma"/);
  });

  test('refuses a level that there is not', () => {
    // @ts-expect-error: as plain JavaScript may call it.
    expect(() => logTo(() => {}, { level: 'loud' })).toThrow(/one of "debug", "info"/);
  });
});

test('the library prints nothing by itself', () => {
  const library = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...['--input-type=module', '--eval'],
      `import { MapBuilder, MemoryStore } from ${JSON.stringify(library)};
      class Odd extends MapBuilder {
        unaryFunction() { this.logger.warn('odd'); throw new Error('no'); }
      }
      const source = new MemoryStore({ key: 'n' });
      await source.connect();
      await source.update([{ n: 1, last_updated: new Date() }, { n: 2 }]);
      const report = await new Odd(source, new MemoryStore({ key: 'n' })).run();
      process.exit(report.failed === 0 ? 1 : 7);`,
    ],
    { encoding: 'utf8' },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: '', stderr: '' });
});
