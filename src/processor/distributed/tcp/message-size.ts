import { MAX_FRAME } from './message-frame.js';
import type { LeaseEnd } from './worker-leases.js';

const KEPT_CHARACTERS = 10_000;

/** Shortens what says how a chunk ended until it can be sent: a lease must be able to end. */
export function fitting(end: LeaseEnd): LeaseEnd {
  if (Buffer.byteLength(JSON.stringify(end)) <= MAX_FRAME) return end;
  if (end.type === 'DONE') return { ...end, result: { ...end.result, failures: [] } };
  if (end.type === 'NACK') return end;
  const { name, message } = end.error;
  return { ...end, error: { name, message: message.slice(0, KEPT_CHARACTERS) } };
}
