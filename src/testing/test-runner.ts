/** What a suite needs of a test runner; those of vitest, jest, mocha and `node:test` will do. */
export interface TestRunner {
  /** Puts tests under a heading. */
  describe(name: string, body: () => void): void;
  /** Registers a test, which fails when its body throws or rejects. */
  it(name: string, body: () => void | Promise<void>): void;
}
