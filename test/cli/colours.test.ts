import { describe, expect, test } from 'vitest';
import { colourOf } from '../../src/cli/colours.js';

const TERMINAL = { isTTY: true };
const FILE = { isTTY: undefined };
const RED = '\x1b[31mno\x1b[39m';

describe('colours', () => {
  test.each([
    ['a terminal', TERMINAL, {}, RED],
    ['a file', FILE, {}, 'no'],
    ['a terminal with NO_COLOR', TERMINAL, { NO_COLOR: '1' }, 'no'],
    ['a terminal with an empty NO_COLOR', TERMINAL, { NO_COLOR: '' }, RED],
    ['a terminal with TERM=dumb', TERMINAL, { TERM: 'dumb' }, 'no'],
    ['a file with FORCE_COLOR', FILE, { FORCE_COLOR: '1' }, RED],
    ['a file with an empty FORCE_COLOR', FILE, { FORCE_COLOR: '' }, 'no'],
    ['a terminal with FORCE_COLOR=0', TERMINAL, { FORCE_COLOR: '0' }, 'no'],
    ['a terminal with FORCE_COLOR=false', TERMINAL, { FORCE_COLOR: 'false' }, 'no'],
    ['a file with both, as in Node', FILE, { FORCE_COLOR: '1', NO_COLOR: '1' }, RED],
  ])('are for %s', (_, stream, env, text) => {
    expect(colourOf(stream, env)('red', 'no')).toBe(text);
  });
});
