import { describe, it } from 'vitest';
import type { StoreHarness } from '../../src/testing/index.js';
import { testStore } from '../../src/testing/index.js';

export const describeStoreContract = (harness: StoreHarness): void =>
  testStore({ describe, it }, harness);
