import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { FileFormatError } from '../errors/serialization-errors.js';

/** How the content of a file is written. */
export type FileFormat = 'json' | 'yaml';

/**
 * The format of a file by its name, with monty's rules: the lower-cased base name contains `.mpk`, else
 * `.yaml` or `.yml`, else it is JSON.
 *
 * @throws {@link FileFormatError} for msgpack.
 */
export function formatOf(file: string): FileFormat {
  const name = path.basename(file).toLowerCase();
  if (name.includes('.mpk'))
    throw new FileFormatError(
      file,
      'msgpack files are not supported by this version: use a name with ".json" or ".yaml", or pass { format }',
    );
  return /\.ya?ml/.test(name) ? 'yaml' : 'json';
}

/** The most that a file may hold after decompression. A longer text would not fit into a string. */
const MAX_BYTES = 2 ** 28;

const UNSUPPORTED: Readonly<Record<string, string>> = {
  '.bz2': 'bzip2',
  '.xz': 'xz',
  '.lzma': 'xz',
  '.zst': 'zstd',
};

/** Tells by the last suffix whether a file is compressed with gzip. */
function isGzipName(file: string): boolean {
  const suffix = path.extname(path.basename(file).toLowerCase()) || path.basename(file);
  const unsupported = UNSUPPORTED[suffix];
  if (unsupported !== undefined)
    throw new FileFormatError(
      file,
      `compression with ${unsupported} is not supported by this version: use "${suffix === '.zst' ? 'zstd -d' : 'unxz or bunzip2'}" first, or a name that ends in ".gz"`,
    );
  return suffix === '.gz' || suffix === '.z';
}

/** Compresses the text of a file if its name says so. */
export function compress(file: string, text: string): Buffer {
  const bytes = Buffer.from(text);
  return isGzipName(file) ? gzipSync(bytes) : bytes;
}

/**
 * The text of a file, decompressed if its name says so.
 *
 * @param maxBytes - The most that it may hold.
 * @throws {@link FileFormatError} when name and content disagree, for a file that is too large, and for text
 * that is not UTF-8.
 */
export function decompress(file: string, bytes: Buffer, maxBytes = MAX_BYTES): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (isGzipName(file)) {
    if (!isGzip)
      throw new FileFormatError(file, 'it is not compressed with gzip, although its name says so');
    return toText(file, gunzip(file, bytes, maxBytes));
  }
  if (isGzip)
    throw new FileFormatError(
      file,
      'it is compressed with gzip: give it a name that ends in ".gz"',
    );
  if (bytes.length > maxBytes) throw tooLarge(file, maxBytes);
  return toText(file, bytes);
}

function gunzip(file: string, bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(file, maxBytes, cause);
    throw new FileFormatError(file, `its compression is damaged: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function tooLarge(file: string, maxBytes: number, cause?: unknown): FileFormatError {
  return new FileFormatError(
    file,
    `expected at most ${maxBytes} bytes of text, got more: is this really a dump?`,
    { cause },
  );
}

function toText(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FileFormatError(file, 'it is not UTF-8: save it in that encoding', { cause });
  }
}
