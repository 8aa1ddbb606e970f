/**
 * Computes for about so many microseconds of a core, however busy the machine is.
 *
 * @returns Something, so that the work is not optimised away.
 */
export function spin(microseconds: number): number {
  const rounds = microseconds * ROUNDS_PER_MICROSECOND;
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum += Math.sqrt(i) % 7;
  return sum;
}

// As found on a machine of 2024; what counts is that both sides of a comparison do the same.
const ROUNDS_PER_MICROSECOND = 80;
