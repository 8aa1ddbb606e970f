// What a worker of a general pool does with one item of the spin workloads.
const ROUNDS_PER_MICROSECOND = 80;

export default function task({ k, microseconds }) {
  const rounds = microseconds * ROUNDS_PER_MICROSECOND;
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum += Math.sqrt(i) % 7;
  return { k, value: sum };
}
