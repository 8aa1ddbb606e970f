import type { BuildStartedEvent, ProgressEvent } from '../builder/build-events.js';
import type { Bar } from './render-bar.js';
import { renderBars } from './render-bar.js';

const STAGES = {
  fetched: ['Get', 'Get', 'Get'],
  processed: ['Process Items', 'Process', 'Pro'],
  written: ['Update Targets', 'Update', 'Upd'],
} as const satisfies Record<string, Bar['labels']>;

type Stage = keyof typeof STAGES;
const STAGE_NAMES = Object.keys(STAGES) as Stage[];
const NOTHING: Readonly<Record<Stage, number>> = { fetched: 0, processed: 0, written: 0 };

/** How far the stages of one build have come, as lines. */
export class BuildBars {
  /** Whether there is something to show. */
  isShown = false;
  readonly #builder: string;
  readonly #now: () => number;
  readonly #startedAt: number;
  #total: number | null;
  #counts = NOTHING;
  // When a stage was through, so that its clock stops.
  readonly #endedAt: Partial<Record<Stage, number>> = {};

  /** @param now - The time in milliseconds. */
  constructor({ builder, total }: BuildStartedEvent, now: () => number) {
    this.#builder = builder;
    this.#total = total;
    this.#now = now;
    this.#startedAt = now();
  }

  advance(event: ProgressEvent): void {
    this.#counts = event;
    this.#total = event.total;
    for (const stage of STAGE_NAMES)
      if (event[stage] === event.total) this.#endedAt[stage] ??= this.#now();
      else delete this.#endedAt[stage];
  }

  /**
   * Draws the bars.
   *
   * @param columns - Width of the terminal.
   * @param details - What stands behind the builder's name, above the bars; null for neither.
   */
  lines(columns: number, details: readonly string[] | null): string[] {
    const bars = renderBars(STAGE_NAMES.map(this.#bar), columns);
    if (details === null) return bars;
    return [[this.#builder, ...details].join(' · ').slice(0, columns - 1), ...bars];
  }

  readonly #bar = (stage: Stage): Bar => ({
    labels: STAGES[stage],
    done: this.#counts[stage],
    total: this.#total,
    elapsedMs: (this.#endedAt[stage] ?? this.#now()) - this.#startedAt,
  });
}
