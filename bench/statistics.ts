/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** How a time grows with the size: 1 is linear, 2 quadratic. */
export const exponent = (
  [size1, ms1]: readonly [number, number],
  [size2, ms2]: readonly [number, number],
): number => Math.log(ms2 / ms1) / Math.log(size2 / size1);
