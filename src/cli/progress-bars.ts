import type { BuildEvents, BuildStartedEvent, ProgressEvent } from '../builder/build-events.js';
import type { Bar } from './render-bar.js';
import { renderBars } from './render-bar.js';
import type { Screen } from './screen.js';

const REDRAW_MS = 100;

const STAGES = {
  fetched: ['Get', 'Get', 'Get'],
  processed: ['Process Items', 'Process', 'Pro'],
  written: ['Update Targets', 'Update', 'Upd'],
} as const satisfies Record<string, Bar['labels']>;

type Stage = keyof typeof STAGES;
const STAGE_NAMES = Object.keys(STAGES) as Stage[];
const NOTHING: Readonly<Record<Stage, number>> = { fetched: 0, processed: 0, written: 0 };

/** What is needed of a processor. */
export interface BuildEventSource {
  on<K extends keyof BuildEvents>(event: K, listener: (...args: BuildEvents[K]) => void): unknown;
  off<K extends keyof BuildEvents>(event: K, listener: (...args: BuildEvents[K]) => void): unknown;
}

/** What {@link ProgressBars} needs to know. */
export interface ProgressBarsOptions {
  /** Whether the builder's name stands above its bars. */
  readonly headings: boolean;
  /** Milliseconds; a test brings its own. */
  readonly now?: () => number;
}

/** Shows how far each stage of the running build has come; listens to a processor and draws on a screen. */
export class ProgressBars {
  readonly #screen: Screen;
  readonly #headings: boolean;
  readonly #now: () => number;
  #builder = '';
  #total: number | null = null;
  #counts = NOTHING;
  #startedAt = 0;
  // When a stage was through, so that its clock stops.
  #endedAt: Partial<Record<Stage, number>> = {};
  #drawnAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen, { headings, now = () => performance.now() }: ProgressBarsOptions) {
    this.#screen = screen;
    this.#headings = headings;
    this.#now = now;
  }

  /**
   * Begins to listen.
   *
   * @returns Ends it; the bars that are there stay.
   */
  follow(source: BuildEventSource): () => void {
    source.on('BUILD_STARTED', this.#start);
    source.on('PROGRESS', this.#advance);
    source.on('BUILD_ENDED', this.#end);
    return () => {
      this.#end();
      source.off('BUILD_STARTED', this.#start);
      source.off('PROGRESS', this.#advance);
      source.off('BUILD_ENDED', this.#end);
    };
  }

  readonly #start = ({ builder, total }: BuildStartedEvent) => {
    this.#end();
    this.#builder = builder;
    this.#total = total;
    this.#counts = NOTHING;
    this.#endedAt = {};
    this.#startedAt = this.#now();
    this.#drawnAt = -Infinity;
    // Clocks go on while nothing happens, and a terminal may change its size.
    this.#timer = setInterval(this.#drawWhenDue, REDRAW_MS).unref();
  };

  readonly #advance = (event: ProgressEvent) => {
    this.#counts = event;
    this.#total = event.total;
    for (const stage of STAGE_NAMES)
      if (event[stage] === event.total) this.#endedAt[stage] ??= this.#now();
      else delete this.#endedAt[stage];
    // A build that was not started, or could not, has nothing to show.
    if (event.total !== null || event.fetched > 0) this.#drawWhenDue();
  };

  readonly #end = () => {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#drawnAt > -Infinity) this.#draw();
    this.#screen.keep();
  };

  // Also called from events: a builder that computes without a pause leaves timers no chance.
  readonly #drawWhenDue = () => {
    if (this.#now() - this.#drawnAt >= REDRAW_MS) this.#draw();
  };

  #draw(): void {
    this.#drawnAt = this.#now();
    const { columns } = this.#screen;
    const lines = renderBars(STAGE_NAMES.map(this.#bar), columns);
    this.#screen.show(this.#headings ? [this.#builder.slice(0, columns - 1), ...lines] : lines);
  }

  readonly #bar = (stage: Stage): Bar => ({
    labels: STAGES[stage],
    done: this.#counts[stage],
    total: this.#total,
    elapsedMs: (this.#endedAt[stage] ?? this.#now()) - this.#startedAt,
  });
}
