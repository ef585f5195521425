// Own messages on their way: one at a time, in order, each tried with the same client_id until the server decides.

import { Problem } from './api.js';
import { Nap, backoff } from './backoff.js';

/** @import { Message, Pending, PendingState } from './types.js' */

/**
 * @typedef {object} OutboxOwner
 * @property {(pending: Pending) => Promise<{ replies: Message[] }>} post
 * @property {(pending: Pending, replies: Message[]) => void} onSent
 * @property {(pending: Pending, state: PendingState, until?: number) => void} onState
 * @property {() => void} onEnded
 */

/** Who waits this long wants a word. */
const STALLED_MS = 8_000;
/** A shorter wait is shortly. */
const SHORTLY_MS = 15_000;

/** @typedef {{ state: PendingState, until: number }} Hold why nothing goes out, and until when */

/** What the server will never take, and why. @type {{ [code: string]: PendingState }} */
const REFUSALS = { choice_expired: 'expired', too_large: 'too_long', text_too_long: 'too_long', empty_text: 'empty' };

/** The same for a picture. @type {{ [code: string]: PendingState }} */
const PICTURE_REFUSALS = { too_large: 'picture_too_large', unsupported_type: 'picture_unsupported', damaged_picture: 'picture_damaged' };
/** Nobody waits for longer than this with a picture in hand. */
const PICTURE_WAIT_MS = 60_000;

export class Outbox {
  /** @type {OutboxOwner} */
  #owner;
  /** @type {Pending[]} */
  #queue = [];
  #nap = new Nap();
  #running = false;
  #ready = false;
  #mayWake = true;
  /** @type {Hold | null} */
  #held = null;
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
    if (this.#held) this.#owner.onState(pending, this.#held.state, this.#held.until);
    void this.#drain();
  }

  /** There is a conversation to send to. */
  start() {
    this.#ready = true;
    this.#held = null;
    void this.#drain();
  }

  /** Nothing goes out for now: says so of all, and of what is still to be written. @param {PendingState} state @param {number} [wait] milliseconds */
  hold(state, wait = 0) {
    this.#held = { state, until: wait > SHORTLY_MS ? Date.now() + wait : 0 };
    for (const pending of this.#queue) this.#owner.onState(pending, state, this.#held.until);
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
    this.#held = null;
    this.#nap.wake();
  }

  async #drain() {
    if (this.#running || !this.#ready) return;
    this.#running = true;
    const round = this.#round;
    let tries = 0;
    while (round === this.#round && this.#queue.length > 0) {
      const head = this.#queue[0];
      // A later try changes nothing that is worth reading.
      if (!this.#held) this.#owner.onState(head, 'sending');
      const stalled = setTimeout(() => this.#held ?? this.#owner.onState(head, 'stalled'), STALLED_MS);
      try {
        const { replies } = await this.#owner.post(head);
        if (round !== this.#round) return;
        this.#queue.shift();
        tries = 0;
        this.#held = null;
        this.#owner.onSent(head, replies);
      } catch (error) {
        if (round !== this.#round) return;
        if (error instanceof Problem && error.isEnd) return this.#owner.onEnded();
        const wait = this.#judge(head, error, tries++);
        if (wait === null) {
          this.#queue.shift();
          tries = 0;
          this.#held = null;
        } else {
          await this.#nap.sleep(wait);
        }
      } finally {
        clearTimeout(stalled);
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
      this.hold('waiting');
      return backoff(tries);
    }
    if (error.status === 429) {
      this.#mayWake = false;
      const wait = Math.max(error.retryAfter ?? 0, backoff(tries));
      if (head.picture && wait > PICTURE_WAIT_MS) {
        this.#owner.onState(head, 'picture_too_many');
        return null;
      }
      this.hold('slow', wait);
      return wait;
    }
    if (error.status >= 500 || error.status === 408) {
      const wait = Math.max(Math.min(error.retryAfter ?? 0, 60_000), backoff(tries));
      this.hold('busy', wait);
      return wait;
    }
    if (head.picture) {
      this.#owner.onState(head, PICTURE_REFUSALS[error.code] ?? 'refused');
      return null;
    }
    this.#owner.onState(head, REFUSALS[error.code] ?? (error.status === 413 ? 'too_long' : 'refused'));
    return null;
  }
}
