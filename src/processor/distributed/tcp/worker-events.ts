import type { ChunkEvent } from '../engine.js';
import type { FromWorker } from './messages.js';

/** What a worker says for people: nothing is decided by it. */
export type WorkerNews = FromWorker<'PROGRESS' | 'UPDATING' | 'LOG'>;

/** What is told of it. */
export function eventOf(news: WorkerNews, worker: string): ChunkEvent {
  switch (news.type) {
    case 'PROGRESS': {
      const { stage, index, progress } = news;
      return { type: 'CHUNK_PROGRESS', stage, index, progress };
    }
    case 'UPDATING': {
      const { stage, index, items } = news;
      return { type: 'CHUNK_UPDATE', stage, index, items };
    }
    case 'LOG': {
      const { logger, level, message } = news;
      return { type: 'WORKER_LOG', worker, logger, level, message };
    }
  }
}
