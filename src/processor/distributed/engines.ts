import type { DistributedEngine } from './engine.js';
import { parseEngineUrl } from './engine-url.js';

/** By the schemes of their URLs; each is loaded when it is used. */
const ENGINES: Readonly<Record<string, () => Promise<DistributedEngine>>> = {
  tcp: async () => (await import('./tcp/tcp-engine.js')).tcpEngine,
  redis: loadRedis,
  rediss: loadRedis,
};

/** @throws {@link InvalidOptionError} for a URL that no engine serves, with what to use instead. */
export const engineUrl = (text: string): URL => parseEngineUrl(text, Object.keys(ENGINES));

/** Finds the engine of a URL. */
export async function engineOf(url: URL): Promise<DistributedEngine> {
  const load = ENGINES[url.protocol.slice(0, -1)] as () => Promise<DistributedEngine>;
  return load();
}

async function loadRedis(): Promise<DistributedEngine> {
  return (await import('./redis/redis-engine.js')).redisEngine;
}
