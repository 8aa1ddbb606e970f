import { hkdfSync } from 'node:crypto';

const LENGTH = 32;

/** The key with which manager and workers prove to each other that they know the secret. */
export function tlsKey(secret: Uint8Array): Buffer {
  return derive(secret, 'maggma distributed tls 1');
}

/** The key that plans and chunks are sealed with. */
export function sealingKey(secret: Uint8Array): Buffer {
  return derive(secret, 'maggma distributed sealing 1');
}

/** Tells secrets apart without giving them away: what was sealed with another one cannot be opened. */
export function secretMark(secret: Uint8Array): string {
  return derive(secret, 'maggma distributed mark 1').toString('hex', 0, 8);
}

function derive(secret: Uint8Array, context: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), context, LENGTH));
}
