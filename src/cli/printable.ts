import { redact } from '../errors/redact.js';

/**
 * Makes a text safe to show: passwords are masked, control characters (an escape sequence in a document's key, say) are
 * spelled out. Tabs and line ends stay.
 */
export function printable(text: string): string {
  return redact(text.replaceAll('\r\n', '\n')).replace(
    /[^\P{Cc}\t\n]/gu,
    (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/**
 * The same on a single line.
 *
 * @param text - May have several lines.
 * @param length - What is longer is cut, with an ellipsis.
 */
export function oneLine(text: string, length = Infinity): string {
  const line = printable(text.trim().replace(/\s*\n\s*/g, ' '));
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
