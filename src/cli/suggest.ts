import { distance } from 'fastest-levenshtein';

/**
 * The candidate that somebody may have meant.
 *
 * @param word - What was written.
 * @returns undefined when none is similar enough.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(0.4 * word.length)) + 1;
  for (const candidate of candidates) {
    const edits = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** ` (did you mean X?)`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const best = closest(word, candidates);
  return best === undefined ? '' : ` (did you mean ${best}?)`;
}

/** Letters in another order, or the rest of a word that is missing, are one mistake. */
function editsBetween(word: string, candidate: string): number {
  const isBeginning = word.length > 2 && candidate.startsWith(word);
  if (word !== candidate && (isBeginning || sorted(word) === sorted(candidate))) return 1;
  return distance(word, candidate);
}

const sorted = (text: string): string => [...text].sort().join('');
