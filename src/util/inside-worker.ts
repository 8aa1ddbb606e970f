const KEY = Symbol.for('maggma.worker');
const holder = globalThis as { [KEY]?: 'starting' | 'working' };

/**
 * Whether this thread is a worker: `starting` while it imports the modules of its builder, `working` after; undefined
 * anywhere else. Also true for a second copy of this package.
 */
export const workerState = (): 'starting' | 'working' | undefined => holder[KEY];

/** Says that this thread is a worker, or that it is none any more. */
export function markWorker(state: 'starting' | 'working' | null): void {
  if (state === null) delete holder[KEY];
  else holder[KEY] = state;
}
