import { importPeer } from '../../../util/import-peer.js';

/** The two packages that know Redis; the versions are in `peerDependencies`. */
export interface Peers {
  readonly bullmq: typeof import('bullmq');
  readonly Redis: typeof import('ioredis').Redis;
}

/** @throws {@link MissingDependencyError} when one of them is not installed. */
export async function loadPeers(): Promise<Peers> {
  const usedBy = 'A distributed build over redis://';
  const bullmq = await importPeer('bullmq', usedBy, () => import('bullmq'), 'ioredis');
  const { Redis } = await importPeer('ioredis', usedBy, () => import('ioredis'));
  return { bullmq, Redis };
}
