import { createHmac, scryptSync } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';

const KEY = 'maggma reporting';

/** Where systems keep an id of their own. */
const ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id', '/etc/hostid'];

let machine: string | undefined;
let scope: string | undefined;

/**
 * An anonymous name for this machine in the form of a UUID: always the same here, another one elsewhere.
 *
 * It is a keyed hash of the system's own id, or of a network address where there is none; neither can be told from it.
 */
export function machineId(): string {
  machine ??= toUuid(hashOfMachine());
  return machine;
}

/**
 * An anonymous name for where process ids mean the same: one machine, or one container on it; and, after a hyphen, for the
 * start of the machine, where the system tells.
 */
export function pidScope(): string {
  scope ??= [placeOfPids(), contentOf('/proc/sys/kernel/random/boot_id') ?? '']
    .map((text) => hash(text).toString('hex', 0, 8))
    .join('-');
  return scope;
}

function placeOfPids(): string {
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid')) ?? '';
  return [hostname(), machineId(), namespace].join();
}

function hashOfMachine(): Buffer {
  const id = ID_FILES.map(contentOf).find((text) => text !== undefined && text.length >= 8);
  if (id !== undefined) return hash(id);
  // There are few network addresses: what is slow to compute is slow to guess.
  return scryptSync(networkAddress() ?? hostname(), KEY, 32);
}

const hash = (text: string): Buffer => createHmac('sha256', KEY).update(text).digest();

/** One that a manufacturer gave, if there is any: others come and go with containers and tunnels. */
function networkAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, mac }) => !internal && !/^(?:00:)*00$/.test(mac))
    .map(({ mac }) => mac)
    .sort();
  return addresses.find((mac) => !isLocallyGiven(mac)) ?? addresses[0];
}

const isLocallyGiven = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0;

/** Version 8: a UUID whose bits mean what its maker wants. */
function toUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex', 0, 16);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

const contentOf = (file: string): string | undefined =>
  attempt(() => readFileSync(file, 'utf8').trim());

/** Other systems, and containers, do not have every file. */
function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
