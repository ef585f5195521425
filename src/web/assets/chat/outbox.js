// Own messages on their way: one at a time, in order, each tried with the same client_id until the server decides.

import { Problem } from './api.js';
import { Nap, backoff } from './backoff.js';

/** @import { Message, Pending, PendingState } from './types.js' */

/**
 * @typedef {object} OutboxOwner
 * @property {(pending: Pending) => Promise<{ replies: Message[] }>} post
 * @property {(pending: Pending, replies: Message[]) => void} onSent
 * @property {(pending: Pending, state: PendingState) => void} onState
 * @property {() => void} onEnded
 */

/** What the server will never take, and why. @type {{ [code: string]: PendingState }} */
const REFUSALS = { choice_expired: 'expired', too_large: 'too_long', text_too_long: 'too_long', empty_text: 'empty' };

export class Outbox {
  /** @type {OutboxOwner} */
  #owner;
  /** @type {Pending[]} */
  #queue = [];
  #nap = new Nap();
  #running = false;
  #ready = false;
  #mayWake = true;
  #round = 0;

  /** @param {OutboxOwner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  get isEmpty() {
    return this.#queue.length === 0;
  }

  /** @param {Pending} pending */
  push(pending) {
    this.#queue.push(pending);
    void this.#drain();
  }

  /** There is a conversation to send to. */
  start() {
    this.#ready = true;
    void this.#drain();
  }

  /** The line is back. What the server itself asked us to wait for is waited for. */
  wake() {
    if (this.#mayWake) this.#nap.wake();
  }

  /** The conversation is over; what was on its way no longer counts. */
  clear() {
    this.#round += 1;
    this.#queue = [];
    this.#ready = false;
    this.#running = false;
    this.#nap.wake();
  }

  async #drain() {
    if (this.#running || !this.#ready) return;
    this.#running = true;
    const round = this.#round;
    let tries = 0;
    while (round === this.#round && this.#queue.length > 0) {
      const head = this.#queue[0];
      this.#owner.onState(head, 'sending');
      try {
        const { replies } = await this.#owner.post(head);
        if (round !== this.#round) return;
        this.#queue.shift();
        tries = 0;
        this.#owner.onSent(head, replies);
      } catch (error) {
        if (round !== this.#round) return;
        if (error instanceof Problem && error.isEnd) return this.#owner.onEnded();
        const wait = this.#judge(head, error, tries++);
        if (wait === null) {
          this.#queue.shift();
          tries = 0;
        } else {
          await this.#nap.sleep(wait);
        }
      }
    }
    if (round === this.#round) this.#running = false;
  }

  /**
   * @param {Pending} head
   * @param {unknown} error
   * @param {number} tries
   * @returns {number | null} milliseconds until the next try, or null for never
   */
  #judge(head, error, tries) {
    this.#mayWake = true;
    if (!(error instanceof Problem)) {
      this.#stateOfAll('waiting');
      return backoff(tries);
    }
    if (error.status === 429) {
      this.#mayWake = false;
      this.#stateOfAll('slow');
      return Math.max(error.retryAfter ?? 0, backoff(tries));
    }
    if (error.status >= 500 || error.status === 408) {
      this.#stateOfAll('busy');
      return Math.max(Math.min(error.retryAfter ?? 0, 60_000), backoff(tries));
    }
    this.#owner.onState(head, REFUSALS[error.code] ?? (error.status === 413 ? 'too_long' : 'refused'));
    return null;
  }

  /** @param {PendingState} state */
  #stateOfAll(state) {
    for (const pending of this.#queue) this.#owner.onState(pending, state);
  }
}
