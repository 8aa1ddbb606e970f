import { StringDecoder } from 'node:string_decoder';
import type { Screen } from './screen.js';

type Stream = NodeJS.WriteStream;

/**
 * Puts what builders print themselves (`console.log` and the like) above the progress bars, for as long as there are
 * any. Only streams that are terminals are touched.
 *
 * @returns Undoes it.
 */
export function guardOutput(screen: Screen, streams: readonly Stream[]): () => void {
  const releases = streams.filter((stream) => stream.isTTY).map((s) => guardStream(screen, s));
  const release = guardWarnings(screen);
  return () => {
    for (const undo of [...releases, release]) undo();
  };
}

function guardStream(screen: Screen, stream: Stream): () => void {
  const original = stream.write;
  const write = original.bind(stream) as (text: string) => boolean;
  const decoder = new StringDecoder();
  // The beginning of a line whose end has not been written yet.
  let pending = '';

  const guarded = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    done = typeof encoding === 'function' ? encoding : undefined,
  ): boolean => {
    pending += typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
    const end = screen.busy ? pending.lastIndexOf('\n') + 1 : pending.length;
    const text = pending.slice(0, end);
    pending = pending.slice(end);
    if (text !== '') screen.aside(() => write(text));
    if (done) process.nextTick(done);
    return true;
  };
  stream.write = guarded as Stream['write'];
  return () => {
    stream.write = original;
    if (pending !== '') screen.aside(() => write(`${pending}\n`));
  };
}

function guardWarnings(screen: Screen): () => void {
  const printers = process.listeners('warning');
  return redirectWarnings((warning) => {
    screen.aside(() => {
      for (const print of printers) print.call(process, warning);
    });
  });
}

/**
 * Takes over what becomes of Node's warnings, which it prints past `process.stderr`.
 *
 * @returns Undoes it.
 */
export function redirectWarnings(show: (warning: Error) => void): () => void {
  const printers = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', show);
  return () => {
    process.off('warning', show);
    for (const print of printers) process.on('warning', print);
  };
}
