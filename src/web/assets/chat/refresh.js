// Fetches everything that was said anew, since something that was shown may not be shown any more.

import { Problem } from './api.js';
import { Nap, backoff } from './backoff.js';

/** @import { Message } from './types.js' */

/**
 * @typedef {object} RefreshOwner
 * @property {(after: number) => Promise<{ messages: Message[] }>} list
 * @property {() => number} newest the newest message that is here
 * @property {(messages: Message[], known: number) => void} onAll
 * @property {() => void} onFailed it takes longer: what is there must not stay
 */

/** One miss is the line's mood; after the second nothing old stays. */
const MISSES = 2;

export class Refresh {
  /** @type {RefreshOwner} */
  #owner;
  #nap = new Nap();
  #running = false;
  #again = false;
  #stopped = false;

  /** @param {RefreshOwner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  /** Asked for meanwhile, it is done once more: the first answer may be older than the change. */
  async ask() {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    let misses = 0;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        const known = this.#owner.newest();
        const messages = await this.#all();
        if (this.#stopped) return;
        misses = 0;
        this.#owner.onAll(messages, known);
      } catch (error) {
        // The stream hears of the end as well, and tells it.
        if (this.#stopped || (error instanceof Problem && error.isEnd)) break;
        this.#again = true;
        misses += 1;
        if (misses === MISSES) this.#owner.onFailed();
        const asked = error instanceof Problem ? error.retryAfter : null;
        await this.#nap.sleep(Math.max(asked ?? 0, backoff(misses - 1)));
      }
    }
    this.#running = false;
  }

  stop() {
    this.#stopped = true;
    this.#nap.wake();
  }

  async #all() {
    /** @type {Message[]} */
    const all = [];
    for (;;) {
      const { messages } = await this.#owner.list(all.at(-1)?.seq ?? 0);
      if (!messages.length) return all;
      all.push(...messages);
    }
  }
}
