// The strip above the messages: what is wrong with the connection, whether messages are safe, what happens next.

import { byId, el } from './dom.js';
import { currentLang, t, timeOf, waitOf } from './i18n.js';

/** @import { Trouble } from './conversation.js' */
/** @import { State } from './view.js' */

/** A connection that is back sooner was no trouble worth a word. */
const PATIENCE_MS = 2_500;
/** From here on people wonder whether to stay. */
const LONG_MS = 30_000;

export class Banner {
  #node = byId('banner', HTMLElement);
  /** @type {State} */
  #state = 'connecting';
  /** @type {Trouble | null} */
  #trouble = null;
  /** When the trouble began; 0 while there is none. */
  #since = 0;
  #tick = 0;
  /** What stands there, less the seconds that run. */
  #told = '';

  /** @param {State} state @param {Trouble | null} trouble */
  show(state, trouble) {
    this.#state = state;
    this.#trouble = trouble;
    clearInterval(this.#tick);
    if (state === 'live' || state === 'ended') {
      this.#since = 0;
      this.#told = '';
      this.#node.replaceChildren();
      return;
    }
    this.#since ||= Date.now();
    this.#tick = setInterval(() => this.#draw(), 500);
    this.#draw();
  }

  #draw() {
    const key = this.#key();
    if (!key) return;
    const until = this.#trouble?.until ?? 0;
    const text = t(key, { wait: waitOf(until - Date.now()), time: timeOf(new Date(this.#since).toISOString()) });
    const told = `${currentLang()} ${key} ${until}`;
    if (told === this.#told) {
      const running = this.#node.querySelector('[aria-hidden]');
      if (running) running.textContent = text;
      return;
    }
    this.#told = told;
    // A screen reader is told once, not each second.
    if (until) this.#node.replaceChildren(el('span', { class: 'sr' }, text), el('span', { 'aria-hidden': 'true' }, text));
    else this.#node.replaceChildren(text);
  }

  #key() {
    if (this.#state === 'offline') return 'banner_offline';
    const { cause, until } = this.#trouble ?? { cause: 'unreached', until: null };
    if (cause === 'crowded') return 'banner_crowded';
    if (cause === 'slow') return 'banner_slow';
    const lasts = Date.now() - this.#since;
    if (!this.#told && lasts < PATIENCE_MS) return null;
    if (cause === 'busy') return until ? 'banner_busy_until' : 'banner_busy';
    if (lasts > LONG_MS) return 'banner_down';
    return this.#state === 'connecting' ? 'banner_connecting' : 'banner_reconnecting';
  }
}
