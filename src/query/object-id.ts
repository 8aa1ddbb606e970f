import type { ObjectId } from 'bson';

/** Four numbers of 24 bits: how the `bson` package holds an ObjectId since version 7. */
interface Words {
  readonly i0: number;
  readonly i1: number;
  readonly i2: number;
  readonly i3: number;
}

/** Orders ObjectIds by their bytes. */
export function compareObjectIds(a: ObjectId, b: ObjectId): number {
  if (hasWords(a) && hasWords(b)) {
    return a.i0 - b.i0 || a.i1 - b.i1 || a.i2 - b.i2 || a.i3 - b.i3;
  }
  const left = a.toHexString();
  const right = b.toHexString();
  return left < right ? -1 : Number(left > right);
}

/** Eight characters that stand for an ObjectId; much cheaper to make than its hexadecimal form. */
export function objectIdText(id: ObjectId): string {
  return textOfWords(hasWords(id) ? id : wordsOf(id.toHexString()));
}

function textOfWords({ i0, i1, i2, i3 }: Words): string {
  return String.fromCharCode(
    i0 >>> 12,
    i0 & 0xfff,
    i1 >>> 12,
    i1 & 0xfff,
    i2 >>> 12,
    i2 & 0xfff,
    i3 >>> 12,
    i3 & 0xfff,
  );
}

function wordsOf(hex: string): Words {
  const word = (index: number) => Number.parseInt(hex.slice(index * 6, index * 6 + 6), 16);
  return { i0: word(0), i1: word(1), i2: word(2), i3: word(3) };
}

/** The numbers are internal to `bson`: where they are missing the text form is used. */
function hasWords<T>(id: T): id is T & Words {
  return typeof (id as { readonly i3?: unknown }).i3 === 'number';
}
