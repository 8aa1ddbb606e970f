/** A document of five small fields. */
export const smallDoc = (k: number) => ({
  k,
  name: `item ${k}`,
  value: k * 1.5,
  tags: ['a', 'b'],
  last_updated: new Date(1_600_000_000_000 + k),
});

/** A document of about one kilobyte and sixty values. */
export const kilobyteDoc = (k: number) => ({
  k,
  last_updated: new Date(1_600_000_000_000 + k),
  formula: `Fe${k % 7}O${k % 11}`,
  matrix: Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => k + i / (j + 1))),
  nested: Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`field_${i}`, `${k}-${i}`])),
});

/** The first `size` documents of a kind. */
export const many = <T>(size: number, make: (k: number) => T): T[] =>
  Array.from({ length: size }, (_, k) => make(k));
