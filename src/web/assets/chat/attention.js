// Whether somebody looks: counts what came unseen, and rings for what would be missed. Refuses to count history.

import { t } from './i18n.js';
import { ring } from './sound.js';

/** @import { Host } from './host.js' */
/** @import { Item } from './store.js' */

/** Who has waited this long may have looked away. */
const PATIENCE_MS = 3_000;

export class Attention {
  /** @type {Host} */
  #host;
  /** @type {() => Item[]} */
  #items;
  /** Whether the host shows the panel; it says so as soon as it has heard of us. */
  #open = false;
  /** What was said before we came is not news. */
  #loaded = false;
  /** The newest message that somebody has had before their eyes, and the newest that could have rung. */
  #seen = 0;
  #heard = 0;
  #unread = 0;
  #asked = 0;

  /** @param {Host} host @param {() => Item[]} items */
  constructor(host, items) {
    this.#host = host;
    this.#items = items;
  }

  /** @param {boolean} open @returns {boolean} whether that is new */
  setOpen(open) {
    const changed = this.#open !== open;
    this.#open = open;
    this.look();
    return changed;
  }

  /** The person has said something and waits. */
  asked() {
    this.#asked = Date.now();
  }

  /** @param {boolean} loaded */
  setLoaded(loaded) {
    this.#loaded = loaded;
    this.#seen = this.#heard = loaded ? this.#newest() : 0;
    this.look();
  }

  /** To be called whenever messages or the one who looks may have come or gone. */
  look() {
    const newest = this.#newest();
    if (this.#host.embedded ? this.#open : !document.hidden) this.#seen = newest;
    if (this.#loaded && newest > this.#heard) {
      this.#heard = newest;
      const away = document.hidden || (this.#host.embedded && !this.#open);
      if (away || Date.now() - this.#asked > PATIENCE_MS) ring();
    }
    const count = this.#loaded ? this.#theirs().filter((seq) => seq > this.#seen).length : 0;
    if (!this.#host.embedded) document.title = count ? `(${count}) ${t('title')}` : t('title');
    if (count === this.#unread) return;
    this.#unread = count;
    this.#host.unread(count);
  }

  #newest() {
    return Math.max(0, ...this.#theirs());
  }

  #theirs() {
    return this.#items().flatMap(({ message }) => (message && message.from !== 'user' ? [message.seq] : []));
  }
}
