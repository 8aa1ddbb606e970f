import { randomUUID } from 'node:crypto';
import { TargetBusyError } from '../errors/processor-errors.js';
import type { Claim, ClaimBoard } from '../store/claim-board.js';
import type { Store } from '../store/store.js';
import type { Logger } from '../util/logger.js';
import { pidScope } from '../util/machine.js';
import { hasEnded, processMark } from '../util/process-mark.js';

const RENEW_MS = 15_000;
/** Whoever was not heard of for so long is taken for dead. Clocks of hosts may differ by some seconds. */
const EXPIRY_MS = 90_000;
/** So often may others be faster. */
const TRIES = 10;

/** Whether one build at a time may write into a target: `steal` takes it from whoever has it. */
export type TargetLeaseMode = boolean | 'steal';

/** Who takes a target. */
export interface LeaseTaker {
  /** What it is, for whoever finds the target taken. */
  readonly owner: string;
  /** Whether nobody else has that name, so that one that is found was left by whom this one goes on for. */
  readonly isOnlyOne: boolean;
  readonly mode: TargetLeaseMode;
  readonly logger: Logger;
}

interface Held {
  readonly target: Store;
  readonly board: ClaimBoard;
  readonly claim: Claim;
}

/** What keeps two builds from writing into the same targets at the same time. */
export class TargetLeases implements AsyncDisposable {
  readonly #held: Held[] = [];
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  /** What is under way; a store that does not answer is not asked again meanwhile. */
  #renewing: Promise<void> | undefined;

  private constructor(logger: Logger) {
    this.#logger = logger;
    this.#timer = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => {
        this.#renewing = undefined;
      });
    }, RENEW_MS).unref();
  }

  /**
   * Takes the leases of all targets, or none. A target that has no place for notes goes without.
   *
   * @throws {@link TargetBusyError} when somebody has one who is not known to be dead.
   */
  static async take(targets: readonly Store[], taker: LeaseTaker): Promise<TargetLeases> {
    const leases = new TargetLeases(taker.logger);
    const distinct = new Map(targets.map((target) => [target.collections.join(), target]));
    try {
      for (const target of taker.mode === false ? [] : distinct.values())
        await leases.#take(target, taker);
      return leases;
    } catch (error) {
      await leases[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    // Otherwise it would find what it renews gone, and blame somebody else.
    await this.#renewing;
    for (const held of this.#held.splice(0)) await this.#replace(held, null);
  }

  async #take(target: Store, { owner, isOnlyOne, mode }: LeaseTaker): Promise<void> {
    const isFree = (current: Claim) =>
      mode === 'steal' || (isOnlyOne && current.owner === owner) || isDead(current);
    const board = target.claimBoard();
    if (board === null) return;
    const mark = processMark();
    const claim = { id: randomUUID(), owner, ...mark, renewed: mark.since };
    for (let tries = 1; ; tries++) {
      const current = await this.#orWarn(target, () => board.read());
      // Where nothing can be noted, nobody is kept out.
      if (current === undefined) return;
      if (current !== null && !isFree(current)) throw new TargetBusyError(target.name, current);
      const isTaken = await this.#orWarn(target, () => board.swap(current?.id ?? null, claim));
      if (isTaken === undefined) return;
      if (isTaken) {
        if (current !== null)
          this.#logger.warn(
            `${target.name}: took over from ${current.owner}, process ${current.pid} on ${current.host}, of ${current.since}`,
          );
        this.#held.push({ target, board, claim });
        return;
      }
      if (tries === TRIES && current !== null) throw new TargetBusyError(target.name, current);
    }
  }

  async #renew(): Promise<void> {
    const renewed = new Date().toISOString();
    for (const held of [...this.#held])
      if (!(await this.#replace(held, { ...held.claim, renewed })))
        this.#held.splice(this.#held.indexOf(held), 1);
  }

  /** @returns False when it is ours no more. */
  async #replace({ target, board, claim }: Held, next: Claim | null): Promise<boolean> {
    const isOurs = await this.#orWarn(target, () => board.swap(claim.id, next));
    if (isOurs === false)
      this.#logger.error(
        `${target.name}: somebody else took it over while it was built, and may have written into it, too`,
      );
    return isOurs !== false;
  }

  /** A target that can be written, but has no room for notes, is no reason not to build. */
  async #orWarn<T>(target: Store, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#logger.warn(`${target.name}: it cannot be noted who writes into it: ${problem}`);
      return undefined;
    }
  }
}

function isDead(claim: Claim): boolean {
  if (hasEnded(claim)) return true;
  // One that computes without a pause cannot renew anything; this process does not.
  if (claim.pidScope === pidScope() && claim.pid !== process.pid) return false;
  return Date.now() - Date.parse(claim.renewed) > EXPIRY_MS;
}
