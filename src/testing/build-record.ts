import type { BuildEvent, BuildEvents } from '../builder/build-events.js';
import type { Processor } from '../processor/processor.js';

type EventName = keyof BuildEvents;

const NAMES = Object.keys({
  BUILD_STARTED: true,
  PROGRESS: true,
  ITEM_FAILED: true,
  UPDATE: true,
  BUILD_ENDED: true,
} satisfies Record<EventName, true>) as EventName[];

interface Entry {
  readonly name: EventName;
  readonly event: BuildEvent;
}

/** What a processor announced, in its order. */
export class BuildRecord {
  readonly entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  /** Names of the events, without `PROGRESS`, which comes when it is time for it. */
  get names(): EventName[] {
    return this.entries.map(({ name }) => name).filter((name) => name !== 'PROGRESS');
  }

  /** The events of one name. */
  of<K extends EventName>(name: K): BuildEvents[K][0][] {
    return this.entries
      .filter((entry) => entry.name === name)
      .map(({ event }) => event as BuildEvents[K][0]);
  }

  /** The events of some builds. */
  ofBuilds(buildIds: readonly (string | undefined)[]): BuildRecord {
    return new BuildRecord(this.entries.filter(({ event }) => buildIds.includes(event.buildId)));
  }

  /** The builds in the order of their events, each as often as another one came between. */
  get buildIds(): string[] {
    const ids = this.entries.map(({ event }) => event.buildId);
    return ids.filter((id, i) => id !== ids[i - 1]);
  }
}

/** Records what a processor announces, until it is told to stop. */
export function recordBuilds(processor: Processor): { stop(): BuildRecord } {
  const entries: Entry[] = [];
  const listeners = NAMES.map((name) => {
    const listener = (event: BuildEvent): void => void entries.push({ name, event });
    processor.on(name, listener);
    return { name, listener };
  });
  return {
    stop() {
      for (const { name, listener } of listeners) processor.off(name, listener);
      return new BuildRecord(entries);
    },
  };
}
