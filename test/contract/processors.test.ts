import { describe, it } from 'vitest';
import { MultiProcessor } from '../../src/processor/multiprocess/multi-processor.js';
import { SerialProcessor } from '../../src/processor/serial/serial-processor.js';
import { testProcessor } from '../../src/testing/index.js';

testProcessor(
  { describe, it },
  {
    name: 'SerialProcessor',
    create: (options) => new SerialProcessor(options),
  },
);

for (const isolation of ['thread', 'process'] as const)
  testProcessor(
    { describe, it },
    {
      name: `MultiProcessor, one ${isolation} for each of two workers`,
      create: (options) => new MultiProcessor({ ...options, isolation, numWorkers: 2 }),
    },
  );
