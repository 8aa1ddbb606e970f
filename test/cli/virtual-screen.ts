interface Row {
  text: string;
  /** The next row continues this one. */
  wrapped: boolean;
}

/** What a pseudo-terminal's runner writes at the place where it changed the size. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what stands there
const RESIZED = /^\x1b\]size;(\d+);(\d+)\x07/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what stands there
const ESCAPE = /^\x1b\[(\??)(\d*)([A-Za-z])/;

/**
 * A terminal that shows what a person would see, for the few escape sequences that we use; it throws at any other.
 *
 * With `reflow` it breaks long lines anew when its width changes, as most do; without, it cuts them off, as xterm does.
 */
export class VirtualScreen {
  columns: number;
  rows: number;
  cursorVisible = true;
  /** How often the whole picture was drawn. */
  draws = 0;
  readonly #reflow: boolean;
  // All rows, also those that have scrolled away.
  #grid: Row[] = [{ text: '', wrapped: false }];
  #row = 0;
  #column = 0;
  #wraps = true;
  #unread = '';

  constructor(columns: number, rows: number, reflow = true) {
    this.columns = columns;
    this.rows = rows;
    this.#reflow = reflow;
  }

  /** All lines, also those that have scrolled away, without what is empty at their ends. */
  get lines(): string[] {
    const lines = this.#grid.map((row) => row.text.trimEnd());
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  get cursorAtStart(): boolean {
    return this.#column === 0;
  }

  write(data: string): void {
    let rest = this.#unread + data;
    while (rest !== '') {
      const used = rest.startsWith('\x1b') ? this.#escape(rest) : this.#character(rest);
      if (used === 0) break;
      rest = rest.slice(used);
    }
    this.#unread = rest;
  }

  /** What a program writes; the terminal's driver adds carriage returns. */
  writeLines(data: string): void {
    this.write(data.replaceAll('\n', '\r\n'));
  }

  resize(columns: number, rows: number): void {
    if (this.#reflow) this.#breakLines(columns);
    else for (const row of this.#grid) row.text = row.text.slice(0, columns);
    this.columns = columns;
    this.rows = rows;
  }

  #escape(text: string): number {
    const resized = RESIZED.exec(text);
    if (resized) {
      this.resize(Number(resized[1]), Number(resized[2]));
      return resized[0].length;
    }
    const match = ESCAPE.exec(text);
    if (!match) {
      if (text.length > 20) throw new Error(`Unknown escape ${JSON.stringify(text.slice(0, 20))}`);
      return 0;
    }
    const [all, , number, final] = match;
    const command = all.slice(2);
    const top = Math.max(0, this.#grid.length - this.rows);
    if (final === 'A') this.#row = Math.max(top, this.#row - Number(number || 1));
    else if (command === 'K') this.#cut();
    else if (command === 'J') {
      this.#cut();
      this.#grid.length = this.#row + 1;
      this.#current.wrapped = false;
    } else if (command === '?7l') this.#wraps = false;
    else if (command === '?7h') {
      this.#wraps = true;
      this.draws++;
    } else if (command === '?25l') this.cursorVisible = false;
    else if (command === '?25h') this.cursorVisible = true;
    // Node prints the stack of a crash in colours.
    else if (final !== 'm') throw new Error(`Unknown escape ${JSON.stringify(all)}`);
    return all.length;
  }

  #character(text: string): number {
    const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#nextRow();
    else if (character < ' ') throw new Error(`Unknown control ${JSON.stringify(character)}`);
    else this.#put(character);
    return character.length;
  }

  #put(character: string): void {
    if (this.#column >= this.columns) {
      if (this.#wraps) {
        this.#current.wrapped = true;
        this.#nextRow();
      }
      this.#column = this.#wraps ? 0 : this.columns - 1;
    }
    const { text } = this.#current;
    this.#current.text =
      text.slice(0, this.#column).padEnd(this.#column) + character + text.slice(this.#column + 1);
    this.#column++;
  }

  #nextRow(): void {
    this.#row++;
    if (this.#row === this.#grid.length) this.#grid.push({ text: '', wrapped: false });
  }

  get #current(): Row {
    return this.#grid[this.#row]!;
  }

  #cut(): void {
    this.#current.text = this.#current.text.slice(0, this.#column);
  }

  #breakLines(columns: number): void {
    const grid: Row[] = [];
    let line = '';
    let cursor = -1;
    this.#grid.forEach((row, i) => {
      if (i === this.#row) cursor = line.length + this.#column;
      line += row.wrapped ? row.text.padEnd(this.columns) : row.text;
      if (row.wrapped) return;
      const first = grid.length;
      for (let at = 0; at === 0 || at < line.length; at += columns)
        grid.push({ text: line.slice(at, at + columns), wrapped: at + columns < line.length });
      if (cursor >= 0) {
        this.#row = Math.min(grid.length - 1, first + Math.floor(cursor / columns));
        this.#column = cursor % columns;
      }
      line = '';
      cursor = -1;
    });
    this.#grid = grid;
  }
}
