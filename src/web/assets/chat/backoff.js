// Waiting between tries: how long, and a wait that can be cut short.

/**
 * 0.5 s, doubling to 10 s, less up to a half at random, so that a thousand chats do not return at once.
 * @param {number} tries failures so far, from 0
 * @returns {number} milliseconds
 */
export function backoff(tries) {
  const whole = Math.min(10_000, 500 * 2 ** Math.min(tries, 10));
  return whole * (1 - Math.random() / 2);
}

/** One sleeper, whom anybody may wake. */
export class Nap {
  /** @type {(() => void) | null} */
  #end = null;

  /** @param {number} ms */
  sleep(ms) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#end = null;
        resolve(undefined);
      };
      const timer = setTimeout(done, ms);
      this.#end = done;
    });
  }

  wake() {
    this.#end?.();
  }
}
