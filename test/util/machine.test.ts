import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { machineId, pidScope } from '../../src/util/machine.js';

const MODULE = fileURLToPath(new URL('../../build/util/machine.js', import.meta.url));

/** What another process says, after a change of what it sees of the machine. */
function askProcess(change = ''): { machine: string; scope: string } {
  const script = `${change}
    const { machineId, pidScope } = await import(${JSON.stringify(MODULE)});
    console.log(JSON.stringify({ machine: machineId(), scope: pidScope() }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** Hides the ids that the system keeps, and shows one network address. */
const onlyAddress = (mac: string) => `
  import fs from 'node:fs';
  import os from 'node:os';
  import { syncBuiltinESMExports } from 'node:module';
  fs.readFileSync = new Proxy(fs.readFileSync, { apply(read, self, args) {
    if (/machine-id|hostid/.test(String(args[0]))) throw new Error('no such file');
    return Reflect.apply(read, self, args);
  } });
  os.networkInterfaces = () => ({
    docker0: [{ mac: '02:42:00:00:00:01', internal: false }],
    lo: [{ mac: '00:00:00:00:00:00', internal: true }],
    eth0: [{ mac: '${mac}', internal: false }],
  });
  syncBuiltinESMExports();`;

test('a machine has one name, in the form of a UUID', () => {
  expect(machineId()).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(askProcess()).toEqual({ machine: machineId(), scope: pidScope() });
});

test('neither the id of the system nor a network address can be read from it', () => {
  const secrets = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ mac }) => mac.replaceAll(':', ''))
    .filter((mac) => !/^0+$/.test(mac));
  if (existsSync('/etc/machine-id')) secrets.push(readFileSync('/etc/machine-id', 'utf8').trim());
  expect(secrets.length).toBeGreaterThan(0);
  const shown = `${machineId()} ${pidScope()}`.replaceAll('-', '');
  for (const secret of secrets) expect(shown).not.toContain(secret);
});

test('without an id of the system the network address counts, and that of a container does not', () => {
  const [a, again, b] = ['00:1b:21:3a:4b:5c', '00:1b:21:3a:4b:5c', '00:1b:21:3a:4b:5d'].map(
    (mac) => askProcess(onlyAddress(mac)).machine,
  );
  expect(again).toBe(a);
  expect(b).not.toBe(a);
  expect(a?.replaceAll('-', '')).not.toContain('001b213a4b5c');
  expect(a).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
});
