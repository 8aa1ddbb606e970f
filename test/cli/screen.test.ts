import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Screen } from '../../src/cli/screen.js';
import { VirtualScreen } from './virtual-screen.js';

/** A screen, and the terminal that it draws on. */
class Terminal extends EventEmitter {
  readonly seen: VirtualScreen;
  readonly screen: Screen;
  columns: number;
  rows: number;

  constructor(columns = 20, rows = 6, reflow = true) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.seen = new VirtualScreen(columns, rows, reflow);
    this.screen = new Screen(this);
  }

  write(text: string): void {
    this.seen.writeLines(text);
  }

  resize(columns: number, rows = this.rows): void {
    this.seen.resize(columns, rows);
    this.columns = columns;
    this.rows = rows;
    this.emit('resize');
  }
}

describe('a screen', () => {
  test('redraws its last lines in place', () => {
    const { screen, seen } = new Terminal();
    screen.show(['one 1', 'two 1']);
    screen.show(['one 22', 'two']);
    expect(seen.lines).toEqual(['one 22', 'two']);
    expect(seen.cursorVisible).toBe(false);
  });

  test('prints above them', () => {
    const { screen, seen } = new Terminal();
    screen.print('first\n');
    screen.show(['bar 1', 'bar 2']);
    screen.print('a long line that is wrapped\n');
    screen.print('two\nlines\n');
    expect(seen.lines).toEqual([
      'first',
      'a long line that is',
      'wrapped',
      'two',
      'lines',
      'bar 1',
      'bar 2',
    ]);
  });

  test('lets others print above them', () => {
    const terminal = new Terminal();
    const { screen, seen } = terminal;
    screen.show(['bar']);
    screen.aside(() => terminal.write('theirs\n'));
    expect(seen.lines).toEqual(['theirs', 'bar']);
  });

  test('keeps them at the end and shows the cursor below', () => {
    const { screen, seen } = new Terminal();
    screen.show(['bar 1', 'bar 2']);
    screen.keep();
    screen.show(['next']);
    screen.close();
    screen.close();
    seen.writeLines('$ ');
    expect(seen.lines).toEqual(['bar 1', 'bar 2', 'next', '$']);
    expect(seen.cursorVisible).toBe(true);
  });

  test('draws nothing when nothing has changed', () => {
    const { screen, seen } = new Terminal();
    for (let i = 0; i < 5; i++) screen.show(['bar']);
    expect(seen.draws).toBe(1);
  });

  test('works at the lower edge', () => {
    const { screen, seen } = new Terminal(20, 4);
    for (let i = 0; i < 10; i++) {
      screen.print(`line ${i}\n`);
      screen.show([`bar ${i}`, 'bar', 'bar']);
    }
    expect(seen.lines).toEqual([
      ...Array.from({ length: 10 }, (_, i) => `line ${i}`),
      'bar 9',
      'bar',
      'bar',
    ]);
  });

  test('shows what fits in a low terminal', () => {
    const { screen, seen } = new Terminal(20, 3);
    for (let i = 0; i < 5; i++) screen.show([`heading ${i}`, 'one', 'two', 'three']);
    expect(seen.lines).toEqual(['heading 4', 'one']);
  });

  test.each([true, false])('survives a change of width (reflow: %s)', (reflow) => {
    const terminal = new Terminal(20, 12, reflow);
    const { screen, seen } = terminal;
    screen.print('before\n');
    screen.show(['a'.repeat(19), 'b'.repeat(19)]);
    terminal.resize(8);
    screen.show(['a'.repeat(7), 'b'.repeat(7)]);
    expect(seen.lines).toEqual(['before', 'aaaaaaa', 'bbbbbbb']);
    terminal.resize(30);
    screen.show(['a'.repeat(29), 'b'.repeat(29)]);
    screen.print('log\n');
    expect(seen.lines).toEqual(['before', 'log', 'a'.repeat(29), 'b'.repeat(29)]);
  });

  test('cuts off what is too wide because the change of width is not known yet', () => {
    const { screen, seen } = new Terminal(20, 12);
    screen.show(['a'.repeat(19), 'b'.repeat(19)]);
    seen.resize(10, 12);
    for (const letter of 'cde') screen.show([letter.repeat(19), 'b'.repeat(19)]);
    expect(seen.lines).toEqual(['e'.repeat(10), 'b'.repeat(10)]);
  });
});
