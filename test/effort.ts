/** How much of the full amount of work heavy tests do: little by default, all of it in `npm run test:soak`. */
export const SCALE = Number(process.env['TEST_SCALE'] ?? 0.05);

/**
 * The seed of generated tests: always the same, so that a failure is of what was changed; `npm run test:soak` takes
 * another one each time.
 */
export const SEED = Number(process.env['TEST_SEED'] ?? 20261126);
