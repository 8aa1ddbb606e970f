const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
// While these lines are drawn, what does not fit is cut off instead of wrapped: the terminal may have become narrower
// a moment ago.
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
// Also makes the terminal forget which lines it had wrapped when it became narrower. Behind a space, because tmux keeps in
// its history what is cleared from the first place of the screen on.
const CLEAR = `\r ${CLEAR_BELOW}\r`;

/** What is needed of `process.stderr`. */
export interface OutputStream {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/**
 * A stream of lines, with a few at its end that may be redrawn.
 *
 * Between two calls the cursor stands on the first column of the first redrawn line. So it is enough to clear all
 * below it before anything is written: however the terminal moved lines when its size changed, the cursor went along.
 */
export class Screen {
  readonly #stream: OutputStream;
  readonly #write: (text: string) => unknown;
  readonly #onResize = () => {
    this.#stale = true;
  };
  #lines: readonly string[] = [];
  #stale = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    // Kept, because `guardOutput` replaces the method.
    this.#write = stream.write.bind(stream);
    stream.on('resize', this.#onResize);
  }

  /** True while lines stand at the end that may be redrawn. */
  get busy(): boolean {
    return this.#lines.length > 0;
  }

  get columns(): number {
    return this.#stream.columns || 80;
  }

  /** How many lines may be redrawn. All must fit, or moving up would end at the upper edge. */
  get room(): number {
    return Math.max(1, (this.#stream.rows || 24) - 1);
  }

  /** Prints whole lines above those that are redrawn. */
  print(text: string): void {
    this.#write(this.busy ? `${CLEAR}${text}${this.#drawing()}` : text);
  }

  /** Lets somebody else write whole lines above those that are redrawn. */
  aside(write: () => void): void {
    if (this.busy) this.#write(CLEAR);
    write();
    if (this.busy) this.#write(this.#drawing());
  }

  /** Shows these lines at the end, instead of those shown before. None may be wider than the terminal. */
  show(lines: readonly string[]): void {
    const visible = lines.slice(0, this.room);
    const isSame = this.busy && visible.join('\n') === this.#lines.join('\n');
    if (visible.length === 0 || (isSame && !this.#stale)) return;
    const before = `${this.busy ? '' : HIDE_CURSOR}${this.#stale ? CLEAR : ''}`;
    this.#lines = visible;
    this.#stale = false;
    this.#write(before + this.#drawing());
  }

  /** Leaves the lines as they are; what comes next is written below them. */
  keep(): void {
    if (!this.busy) return;
    this.#write(`${CLEAR}${this.#drawing(false)}\n${SHOW_CURSOR}`);
    this.#lines = [];
  }

  /** Leaves the terminal as it was found. Harmless when repeated. */
  close(): void {
    this.keep();
    this.#stream.off('resize', this.#onResize);
  }

  #drawing(moveUp = true): string {
    const up = this.#lines.length > 1 ? `\x1b[${this.#lines.length - 1}A` : '';
    return `\r${NO_WRAP}${this.#lines.join(`${CLEAR_LINE_END}\n`)}${CLEAR_BELOW}${WRAP}${moveUp ? `${up}\r` : ''}`;
  }
}
