/**
 * For tests: of your own builders, and of stores and processors of your own.
 *
 * @module maggma/testing
 */
export type { ProcessorHarness } from './processor-suite.js';
export { testProcessor } from './processor-suite.js';
export type { BuilderRun, RunBuilderOptions } from './run-builder.js';
export { replay, runBuilder } from './run-builder.js';
export type { StoreHarness } from './store-suite.js';
export { testStore } from './store-suite.js';
export type { TestRunner } from './test-runner.js';
