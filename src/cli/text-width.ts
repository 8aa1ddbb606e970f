const WIDE =
  /\p{Emoji_Presentation}|\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;

/** How many columns of a terminal a text takes, on one line. */
export function widthOf(text: string): number {
  return isPlain(text) ? text.length : characters(text).reduce((sum, c) => sum + widthOfOne(c), 0);
}

/** Cuts a text that takes more columns than this, with an ellipsis. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = '';
  let left = width - 1;
  for (const character of characters(text)) {
    left -= widthOfOne(character);
    if (left < 0) break;
    cut += character;
  }
  return width > 0 ? `${cut}…` : '';
}

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

const widthOfOne = (character: string): number => (WIDE.test(character) ? 2 : 1);

// What a person takes for one, however many code points it has.
function characters(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}
