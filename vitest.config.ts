import { defineConfig } from 'vitest/config';

// `--mode soak`: all of the work, with other random numbers each time.
const soak = { TEST_SCALE: '1', TEST_SEED: String(Date.now() % 1e9), ...process.env };

export default defineConfig(({ mode }) => ({
  // vite reads these from the tsconfig that includes the file; spelled out, fixtures outside it work too.
  oxc: { target: 'es2022', decorator: { legacy: true, emitDecoratorMetadata: false } },
  resolve: {
    // Tests that import the package by its name must meet the module instances of `src`.
    alias: [
      { find: /^maggma$/, replacement: new URL('./src/index.ts', import.meta.url).pathname },
      {
        find: /^maggma\/testing$/,
        replacement: new URL('./src/testing/index.ts', import.meta.url).pathname,
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    env: mode === 'soak' ? soak : {},
    globalSetup: ['test/global-setup.ts'],
    // Nothing is judged by it: what is held to a time says so itself.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Many tests wait for processes.
    maxWorkers: '100%',
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text', 'text-summary'] },
  },
}));
