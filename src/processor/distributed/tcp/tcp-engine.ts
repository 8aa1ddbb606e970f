import type { DistributedEngine } from '../engine.js';
import { TcpManagerSession } from './manager-session.js';
import { TcpWorkerSession } from './worker-session.js';

/** Workers connect to the manager itself; there is no broker. */
export const tcpEngine: DistributedEngine = {
  schemes: ['tcp'],
  manager: (options) => TcpManagerSession.listen(options),
  worker: (options) => TcpWorkerSession.connect(options),
};
