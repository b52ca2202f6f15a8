/** When a server that has ended by itself is started again, and when no more. Pure. */

/** Between two ends that belong together: a server that ran for longer was not broken from the start. */
const WINDOW_MS = 180_000;
/** Before each start; the first at once, since most servers that die were killed by somebody. */
const DELAYS_MS = [0, 500, 1000, 2000];

/** The ends of the recent past. */
export class Restarts {
  #ends: number[] = [];

  /** Note an end; return how long to wait before the next start, or undefined to give up. */
  next(now: number): number | undefined {
    this.#ends = [...this.#ends.filter((end) => now - end < WINDOW_MS), now];
    return DELAYS_MS[this.#ends.length - 1];
  }

  /** Forget all ends: the user has asked for a start. */
  reset(): void {
    this.#ends = [];
  }

  /** How often it has ended. */
  get count(): number {
    return this.#ends.length;
  }
}
