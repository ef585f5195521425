// The window that asks for proof, and the secret that it brings back: taken from that window only, handed to the server, kept nowhere.

import { NetworkFailure, Problem } from './api.js';
import { Nap, backoff } from './backoff.js';

/** @import { Key } from './i18n.js' */

const SECRET = /^[\w-]{43}$/;
const TRIES = 4;
const MAX_WAIT_MS = 10_000;

/**
 * @typedef {object} ProofOwner
 * @property {(secret: string) => Promise<void>} post
 * @property {(key: Key) => void} say
 */

export class Proof {
  /** @type {ProofOwner} */
  #owner;
  /** @type {Window | null} */
  #window = null;
  /** A link was followed instead: that window we know only by its opener. */
  #followed = false;
  #busy = false;
  /** Counts chats: what was asked for one is not taken for another. */
  #round = 0;

  /** @param {ProofOwner} owner */
  constructor(owner) {
    this.#owner = owner;
    window.addEventListener('message', ({ origin, source, data }) => {
      if (origin !== location.origin || data?.type !== 'tanya:return') return;
      if (typeof data.secret !== 'string' || !SECRET.test(data.secret)) return;
      const from = /** @type {Window | null} */ (source);
      if (from && this.#isOurs(from)) void this.#take(data.secret, from);
    });
  }

  /** In the click's own turn, or the browser blocks it. @param {string} url @returns {boolean} */
  open(url) {
    const opened = window.open(url, 'tanya-verify', 'popup,width=520,height=760');
    if (!opened) return false;
    this.#window = opened;
    opened.focus();
    return true;
  }

  follow() {
    this.#followed = true;
  }

  /** The chat is over. */
  forget() {
    this.#round += 1;
    this.#window = null;
    this.#followed = false;
    this.#busy = false;
  }

  /** @param {Window} from of our own origin */
  #isOurs(from) {
    return from === this.#window || (this.#followed && from.opener === window);
  }

  /** @param {string} secret @param {Window} from */
  async #take(secret, from) {
    if (this.#busy) return;
    this.#busy = true;
    const round = this.#round;
    const taken = await this.#post(secret, round);
    if (round !== this.#round) return;
    this.#busy = false;
    if (taken) from.postMessage({ type: 'tanya:received' }, location.origin);
    this.#owner.say(taken ? 'proof_taken' : 'proof_refused');
  }

  /** @param {string} secret @param {number} round */
  async #post(secret, round) {
    for (let tries = 0; tries < TRIES && round === this.#round; tries += 1) {
      try {
        await this.#owner.post(secret);
        return true;
      } catch (error) {
        const again = error instanceof NetworkFailure || (error instanceof Problem && (error.status === 429 || error.status >= 500));
        if (!again || tries + 1 === TRIES) return false;
        const asked = error instanceof Problem ? error.retryAfter : null;
        await new Nap().sleep(Math.min(Math.max(asked ?? 0, backoff(tries)), MAX_WAIT_MS));
      }
    }
    return false;
  }
}
