import { expect } from 'vitest';
import { MEMORY, test } from './mrun-process.js';

const COPY = {
  '@module': 'maggma.builders.map_builder',
  '@class': 'CopyBuilder',
  '@version': null,
  source: MEMORY,
  target: MEMORY,
};
const COMMANDS = ['show b.json', 'validate b.json', 'b.json --plan'] as const;

test.for(COMMANDS)('mrun %s minds no reader that has gone', async (command, { project }) => {
  project.write('b.json', COPY);
  const shell = project.shell(`{ sleep 1; $mrun ${command}; echo "exit $?" >&2; } | true`);
  expect((await shell.finished).stderr).toMatch(/^exit 0$/m);
});

test.for(COMMANDS)('mrun %s says when stdout cannot be written', async (command, { project }) => {
  project.write('b.json', COPY);
  const { stderr } = await project.shell(`$mrun ${command} >/dev/full; echo "exit $?" >&2`)
    .finished;
  expect(stderr).toMatch(/^mrun: stdout cannot be written: .*no space left/m);
  expect(stderr).toMatch(/^exit [12]$/m);
});
