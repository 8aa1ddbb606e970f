export type { StoreHarness } from './store-suite.js';
export { testStore } from './store-suite.js';
export type { TestRunner } from './test-runner.js';
