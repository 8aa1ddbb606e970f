import { styleText } from 'node:util';

/** What a piece of text means to the eye. */
export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';
/** Gives a text a style, where it can be seen. */
export type Colour = (style: Style, text: string) => string;

/**
 * How to colour what goes to a stream: on a terminal that can show it. `FORCE_COLOR` and `NO_COLOR` are obeyed; with
 * both, the first wins, as in Node itself.
 *
 * @param stream - `process.stdout` or `process.stderr`.
 */
export function colourOf(
  stream: { readonly isTTY?: boolean | undefined },
  env: NodeJS.ProcessEnv = process.env,
): Colour {
  if (!hasColours(stream, env)) return (_, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

function hasColours({ isTTY }: { readonly isTTY?: boolean | undefined }, env: NodeJS.ProcessEnv) {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = env;
  if (forced) return forced !== '0' && forced !== 'false';
  return isTTY === true && !refused && terminal !== 'dumb';
}
