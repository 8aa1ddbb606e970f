// Makes mrun.svg, the picture in the README, from what a real run of mrun prints on a real (pseudo-)terminal:
//
//   npm run compile && node docs/media/terminal-picture.mjs
//
// It needs python3 for the pseudo-terminal. The picture is a recording; where motion is not wanted, it shows the end.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MRUN = path.join(ROOT, 'dist/cli/mrun.js');
const PTY = path.join(ROOT, 'test/fixtures/cli/pty-run.py');
const COLUMNS = 108;
/** How often the screen is looked at, how many of these pictures are kept, and how long each is shown. */
const SAMPLE_MS = 100;
const FRAMES = 24;
const FRAME_MS = 250;
/** How long the end is shown. */
const HOLD_MS = 8000;

const MATERIALS = 1600;
const BUILDER = `
import { MapBuilder, MSONable } from 'maggma';

export const VolumeBuilder = MSONable(import.meta.url)(
  class VolumeBuilder extends MapBuilder {
    unaryFunction({ name, lattice }) {
      for (const end = performance.now() + 3; performance.now() < end; );
      if (name === 'mp-1207') this.logger.warn('mp-1207: the angles do not add up');
      const volume = lattice.reduce((product, length) => product * length, 1);
      if (volume === 0) throw new RangeError('the cell is flat');
      return name.endsWith('00') ? null : { volume };
    }
  },
);
`;
const DUMP = `
import { dumpfn, JSONStore } from 'maggma';
import { VolumeBuilder } from './volume-builder.mjs';

const source = new JSONStore('materials.json', { key: 'name', readOnly: false });
await source.connect();
const length = (i, n) => 2 + ((i * 7919) % n) / n;
await source.update(
  Array.from({ length: ${MATERIALS} }, (_, i) => ({
    name: \`mp-\${i + 1}\`,
    lattice: i % 400 === 100 ? [3, 3, 0] : [length(i, 97), length(i, 89), length(i, 83)],
    last_updated: new Date('2026-01-01'),
  })),
);
await source.close();
const target = new JSONStore('volumes.json', { key: 'name', readOnly: false, flush: 'close' });
dumpfn(new VolumeBuilder(source, target, { chunkSize: 100 }), 'builder.json');
`;
const ARGUMENTS = ['-n', '2', 'builder.json'];

const COLOURS = {
  text: '#e6edf3',
  dim: '#8b949e',
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  36: '#79c0ff',
};

/** A screen of styled characters, for the few escape sequences that mrun uses. */
class Screen {
  #rows = [[]];
  #row = 0;
  #column = 0;
  #style = {};

  write(data) {
    let rest = data;
    while (rest !== '') {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what stands there
      const escape = /^\x1b\[(\??)([\d;]*)([A-Za-z])/.exec(rest);
      if (escape) this.#obey(escape[2], escape[3], escape[1] === '?');
      else this.#put(String.fromCodePoint(rest.codePointAt(0)));
      rest = rest.slice(escape ? escape[0].length : String.fromCodePoint(rest.codePointAt(0)).length);
    }
  }

  /** The rows, as runs of characters with one style. */
  runs() {
    return this.#rows.map((row) => {
      const runs = [];
      for (const [column, cell] of row.entries()) {
        const last = runs.at(-1);
        const { character = ' ', style = {} } = cell ?? {};
        if (last && last.key === JSON.stringify(style)) last.text += character;
        else runs.push({ column, text: character, style, key: JSON.stringify(style) });
      }
      return runs.filter(({ text }) => text.trim() !== '');
    });
  }

  #obey(number, command, isMode) {
    if (isMode) return;
    if (command === 'A') this.#row = Math.max(0, this.#row - Number(number || 1));
    else if (command === 'K') this.#rows[this.#row].length = this.#column;
    else if (command === 'J') {
      this.#rows[this.#row].length = Math.min(this.#rows[this.#row].length, this.#column);
      this.#rows.length = this.#row + 1;
    } else if (command === 'm') for (const code of number.split(';').map(Number)) this.#paint(code);
    else throw new RangeError(`unknown escape ${command}`);
  }

  #paint(code) {
    if (code === 0) this.#style = {};
    else if (code === 1) this.#style = { ...this.#style, bold: true };
    else if (code === 2) this.#style = { ...this.#style, colour: COLOURS.dim };
    else if (code === 22) this.#style = {};
    else if (code === 39) this.#style = { ...this.#style, colour: undefined };
    else this.#style = { ...this.#style, colour: COLOURS[code] };
  }

  #put(character) {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') {
      this.#row += 1;
      this.#rows[this.#row] ??= [];
    } else {
      if (this.#column >= COLUMNS) throw new RangeError('a line is too long for the picture');
      this.#rows[this.#row][this.#column++] = { character, style: this.#style };
    }
  }
}

/** What the screen showed, every so often, and at the end. */
async function record(folder) {
  const screen = new Screen();
  screen.write(`\x1b[32m$\x1b[39m mrun ${ARGUMENTS.join(' ')}\r\n`);
  const frames = [screen.runs()];
  const child = spawn('python3', [PTY, String(COLUMNS), '40', process.execPath, MRUN, ...ARGUMENTS], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8').on('data', (data) => screen.write(data));
  const timer = setInterval(() => frames.push(screen.runs()), SAMPLE_MS);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  screen.write('\x1b[32m$\x1b[39m ');
  console.log(`exit code ${code}`);
  const step = Math.max(1, frames.length / FRAMES);
  return [...frames.filter((_, i) => i % step < 1), screen.runs()];
}

const CELL = 8.4;
const LINE = 19;
const MARGIN = 18;
const BAR = 34;

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Full and left blocks, which fonts draw with gaps between them. */
const BLOCKS = /[\u2588-\u258f]+/g;

function drawRun({ column, text, style }, y) {
  const blocks = Array.from(text.matchAll(BLOCKS), ({ 0: bar, index }) => {
    const width = [...bar].reduce((sum, block) => sum + 1 - (block.codePointAt(0) - 0x2588) / 8, 0);
    const x = (MARGIN + (column + index) * CELL).toFixed(1);
    return `<rect x="${x}" y="${y - 14}" width="${(width * CELL).toFixed(1)}" height="16"${fillOf(style)}/>`;
  });
  const words = text.replaceAll(BLOCKS, (bar) => ' '.repeat(bar.length)).matchAll(/\S+(?: \S+)*/g);
  const texts = Array.from(words, ({ 0: word, index }) => {
    const x = (MARGIN + (column + index) * CELL).toFixed(1);
    // Whatever the font, what stands below each other stays there.
    const size = `textLength="${(word.length * CELL).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
    const weight = style.bold ? ' font-weight="bold"' : '';
    return `<text x="${x}" y="${y}" ${size}${fillOf(style)}${weight}>${escaped(word)}</text>`;
  });
  return [...blocks, ...texts];
}

const fillOf = ({ colour }) => (colour ? ` fill="${colour}"` : '');

function draw(frames) {
  const lines = Math.max(...frames.map((rows) => rows.length));
  const width = Math.ceil(2 * MARGIN + COLUMNS * CELL);
  const height = BAR + 2 * MARGIN + (lines - 1) * LINE + 6;
  const total = (frames.length - 1) * FRAME_MS + HOLD_MS;
  const percent = (i) => ((100 * i * FRAME_MS) / total).toFixed(2);
  const styles = frames.map((_, i) => {
    const isLast = i === frames.length - 1;
    const hidden = i === 0 ? '' : '0%{visibility:hidden}';
    const end = isLast ? '' : `${percent(i + 1)}%{visibility:hidden}`;
    return `@keyframes k${i}{${hidden}${percent(i)}%{visibility:visible}${end}}.f${i}{animation:k${i} ${total}ms step-end infinite}`;
  });
  const pictures = frames.map((rows, i) => {
    const runs = rows.flatMap((row, y) => row.flatMap((run) => drawRun(run, BAR + MARGIN + y * LINE + 10)));
    return `<g fill="${COLOURS.text}" class="f f${i}"${i === frames.length - 1 ? ' id="end"' : ''}>\n${runs.join('\n')}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A run of mrun on a terminal">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.f{visibility:hidden}
#end{visibility:visible}
@media (prefers-reduced-motion:no-preference){
${styles.join('\n')}
}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="#0d1117" stroke="#30363d"/>
<circle cx="22" cy="20" r="6" fill="#ff5f57"/><circle cx="42" cy="20" r="6" fill="#febc2e"/><circle cx="62" cy="20" r="6" fill="#28c840"/>
${pictures.join('\n')}
</svg>
`;
}

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-picture-'));
try {
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(ROOT, path.join(folder, 'node_modules/maggma'));
  writeFileSync(path.join(folder, 'package.json'), '{"private":true,"type":"module"}');
  writeFileSync(path.join(folder, 'volume-builder.mjs'), BUILDER);
  writeFileSync(path.join(folder, 'dump.mjs'), DUMP);
  await new Promise((resolve) =>
    spawn(process.execPath, ['dump.mjs'], { cwd: folder, stdio: 'inherit' }).on('close', resolve),
  );
  writeFileSync(new URL('mrun.svg', import.meta.url), draw(await record(folder)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
