import type { ClusterState } from '../processor/distributed/distributed-processor.js';

/** `12/50 chunks`, `3 workers (24 slots)`: how far a manager is, and who helps it. */
export function clusterParts(state: ClusterState | null): string[] {
  if (state === null) return [];
  const { address, workers, slots, chunks, done } = state;
  return [
    chunks === null ? `${done} chunks` : `${done}/${chunks} chunks`,
    workers === 0
      ? `no workers at ${address} yet`
      : `${counted(workers, 'worker')} (${counted(slots, 'slot')})`,
  ];
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
