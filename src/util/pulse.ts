/** Something that happens again and again, and can be waited for. */
export class Pulse {
  #happen = () => {};
  #next = this.#promise();

  /** Resolves the next time that it happens. */
  next(): Promise<void> {
    return this.#next;
  }

  /** It happens now. */
  beat(): void {
    const happen = this.#happen;
    this.#next = this.#promise();
    happen();
  }

  #promise(): Promise<void> {
    return new Promise((resolve) => {
      this.#happen = resolve;
    });
  }
}
