/** One bar: how far a stage of a build has come. */
export interface Bar {
  /** The name of the stage: in full, short, and in three letters for the narrowest terminals. */
  readonly labels: readonly [full: string, short: string, letters: string];
  readonly done: number;
  /** Null when nobody knows. */
  readonly total: number | null;
  readonly elapsedMs: number;
}

interface Layout {
  /** Which of the labels. */
  readonly label: 0 | 1 | 2;
  /** The narrowest bar that is worth drawing. */
  readonly barWidth: number;
  /** What stands behind the bar; everything is dropped from the right. */
  readonly show: 'rate' | 'times' | 'count' | 'nothing';
}

// From the widest to the narrowest; the first one that fits is taken, for all bars together.
const LAYOUTS: readonly Layout[] = [
  { label: 0, barWidth: 10, show: 'rate' },
  { label: 1, barWidth: 10, show: 'rate' },
  { label: 1, barWidth: 6, show: 'times' },
  { label: 1, barWidth: 6, show: 'count' },
  { label: 1, barWidth: 4, show: 'nothing' },
];
const NARROWEST: Layout = { label: 2, barWidth: 0, show: 'nothing' };

interface Parts {
  readonly head: string;
  /** How much of the bar is filled; undefined for no bar. */
  readonly filled?: number;
  readonly tail: string;
}

/**
 * Draws bars below each other, aligned, as wide as the terminal less one column:
 * `Get: 100%|████| 100/100 [00:00<00:00, 15384.62it/s]`.
 *
 * Where there is less room, parts are dropped: names become shorter, then go the rate, the times, the count and the bar.
 *
 * @param columns - Width of the terminal.
 */
export function renderBars(bars: readonly Bar[], columns: number): string[] {
  // A line that fills its row to the last column leaves the cursor in a state that terminals disagree about.
  const width = Math.max(1, columns - 1);
  for (const layout of LAYOUTS) {
    const parts = bars.map((bar) => toParts(bar, layout, longestLabel(bars, layout)));
    const room = roomForBar(parts, width);
    if (room < layout.barWidth || parts.some((part) => lengthOf(part) > width)) continue;
    return parts.map((part) => draw(part, room));
  }
  return bars.map((bar) => narrowest(bar).slice(0, width));
}

function longestLabel(bars: readonly Bar[], layout: Layout): number {
  return Math.max(...bars.map((bar) => bar.labels[layout.label].length));
}

function toParts(bar: Bar, { label, show }: Layout, labelWidth: number): Parts {
  const { done, elapsedMs } = bar;
  const head = `${bar.labels[label].padStart(labelWidth)}: `;
  const elapsed = clock(elapsedMs / 1000);
  const rate = done > 0 && elapsedMs > 0.001 ? (done * 1000) / elapsedMs : null;
  const total = knownTotal(bar);
  if (total === null) {
    const times = { rate: ` [${elapsed}, ${speed(rate)}]`, times: ` [${elapsed}]` };
    return { head, tail: `${done}it${show === 'rate' || show === 'times' ? times[show] : ''}` };
  }
  const count = `| ${String(done).padStart(String(total).length)}/${total}`;
  const remaining = done >= total ? '00:00' : rate === null ? '?' : clock((total - done) / rate);
  const tails = {
    rate: `${count} [${elapsed}<${remaining}, ${speed(rate)}]`,
    times: `${count} [${elapsed}<${remaining}]`,
    count,
    nothing: '|',
  };
  return { head: `${head}${percent(done, total)}|`, filled: part(done, total), tail: tails[show] };
}

/** More items than announced: the announced number was wrong, so there is none. */
function knownTotal({ done, total }: Bar): number | null {
  return total !== null && done <= total ? total : null;
}

function part(done: number, total: number): number {
  return total > 0 ? done / total : 1;
}

function percent(done: number, total: number): string {
  return `${Math.floor(part(done, total) * 100)}%`.padStart(4);
}

function lengthOf({ head, tail }: Parts): number {
  return head.length + tail.length;
}

/** All bars get the same width, so that their ends are below each other. */
function roomForBar(parts: readonly Parts[], width: number): number {
  const used = parts.filter((part) => part.filled !== undefined).map(lengthOf);
  return used.length === 0 ? Infinity : width - Math.max(...used);
}

function draw({ head, filled, tail }: Parts, room: number): string {
  if (filled === undefined) return head + tail;
  const eighths = Math.floor(filled * room * 8);
  const bar = '█'.repeat(Math.floor(eighths / 8)) + ['', ...'▏▎▍▌▋▊▉'][eighths % 8];
  return head + bar.padEnd(room) + tail;
}

function narrowest(bar: Bar): string {
  const total = knownTotal(bar);
  const state = total === null ? COMPACT.format(bar.done) : percent(bar.done, total);
  return `${bar.labels[NARROWEST.label]} ${state}`;
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact' });

/** `04:05`, or `1:02:03` from an hour on. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const tail = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${tail}` : tail;
}

function speed(rate: number | null): string {
  if (rate === null) return '?it/s';
  return rate >= 1 ? `${rate.toFixed(2)}it/s` : `${(1 / rate).toFixed(2)}s/it`;
}
