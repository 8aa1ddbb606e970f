import type {
  BuildEndedEvent,
  BuildEvents,
  BuildStartedEvent,
  ProgressEvent,
} from '../builder/build-events.js';
import { BuildBars } from './build-bars.js';
import type { Screen } from './screen.js';

const REDRAW_MS = 100;

/** What is needed of a processor. */
export interface BuildEventSource {
  on<K extends keyof BuildEvents>(event: K, listener: (...args: BuildEvents[K]) => void): unknown;
  off<K extends keyof BuildEvents>(event: K, listener: (...args: BuildEvents[K]) => void): unknown;
}

/** What {@link ProgressBars} needs to know. */
export interface ProgressBarsOptions {
  /** Whether the builder's name stands above its bars. */
  readonly headings: boolean;
  /**
   * What stands behind it.
   *
   * @defaultValue nothing
   */
  readonly details?: () => readonly string[];
  /** Milliseconds; a test brings its own. */
  readonly now?: () => number;
}

/** Shows how far each stage of the running builds has come; listens to a processor and draws on a screen. */
export class ProgressBars {
  readonly #screen: Screen;
  readonly #headings: boolean;
  readonly #details: () => readonly string[];
  readonly #now: () => number;
  /** The builds that run, by their ids. */
  readonly #builds = new Map<string, BuildBars>();
  #drawnAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    screen: Screen,
    { headings, details = () => [], now = () => performance.now() }: ProgressBarsOptions,
  ) {
    this.#screen = screen;
    this.#headings = headings;
    this.#details = details;
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
      this.#stopClock();
      this.#leave();
      source.off('BUILD_STARTED', this.#start);
      source.off('PROGRESS', this.#advance);
      source.off('BUILD_ENDED', this.#end);
    };
  }

  readonly #start = (event: BuildStartedEvent) => {
    this.#builds.set(event.buildId, new BuildBars(event, this.#now));
    // Clocks go on while nothing happens, and a terminal may change its size.
    this.#timer ??= setInterval(this.#tick, REDRAW_MS).unref();
  };

  readonly #advance = (event: ProgressEvent) => {
    const bars = this.#builds.get(event.buildId);
    if (bars === undefined) return;
    bars.advance(event);
    // A build that was not started, or could not, has nothing to show.
    if (event.total !== null || event.fetched > 0) bars.isShown = true;
    if (bars.isShown) this.#drawWhenDue();
  };

  readonly #end = ({ buildId }: BuildEndedEvent) => {
    const bars = this.#builds.get(buildId);
    if (this.#shown.length > 1 && bars?.isShown) {
      this.#builds.delete(buildId);
      this.#draw();
      this.#screen.print(`${this.#linesOf(bars).join('\n')}\n`);
      return;
    }
    if (bars?.isShown) this.#leave();
    this.#builds.delete(buildId);
    if (this.#builds.size === 0) this.#stopClock();
  };

  readonly #tick = () => {
    for (const bars of this.#builds.values()) bars.isShown = true;
    this.#drawWhenDue();
  };

  // Also called from events: a builder that computes without a pause leaves timers no chance.
  #drawWhenDue(): void {
    if (this.#now() - this.#drawnAt >= REDRAW_MS) this.#draw();
  }

  #draw(): void {
    this.#drawnAt = this.#now();
    this.#screen.show(this.#visibleLines());
  }

  /** Leaves the bars as they are. */
  #leave(): void {
    if (this.#shown.length > 0) this.#draw();
    this.#screen.keep();
    this.#drawnAt = -Infinity;
  }

  #stopClock(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get #shown(): BuildBars[] {
    return [...this.#builds.values()].filter(({ isShown }) => isShown);
  }

  #linesOf(bars: BuildBars): string[] {
    return bars.lines(this.#screen.columns, this.#headings ? this.#details() : null);
  }

  /** The bars of as many builds as there is room for, and how many more there are. */
  #visibleLines(): string[] {
    const blocks = this.#shown.map((bars) => this.#linesOf(bars));
    const { room, columns } = this.#screen;
    const [first = []] = blocks;
    if (blocks.length < 2 || blocks.flat().length <= room) return blocks.flat();
    const fitting = Math.max(1, Math.floor((room - 1) / first.length));
    const others = blocks.length - fitting;
    const more = `and ${others} more ${others === 1 ? 'build' : 'builds'}`;
    const lines = blocks.slice(0, fitting).flat();
    return [...lines.slice(0, room - 1), more.slice(0, columns - 1)];
  }
}
