/** What a build does between opening its stores and finalizing. */
export interface BuildWork extends AsyncDisposable {
  /** False when something is missing although the work was done: nobody may conclude anything from the target. */
  readonly isComplete: boolean;
  /**
   * Works to the end.
   *
   * @throws What ended the build early.
   */
  run(): Promise<void>;
  /** Begins nothing more; what is in flight is finished and written. */
  halt(): void;
  /** Does nothing more at all; resolves when whatever was at work is gone. */
  abandon(): Promise<void>;
}
