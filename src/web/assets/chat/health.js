// The strip about the two systems and what is announced: asked at once and then every minute. Refuses to say anything
// that the server did not just say.

import { readStatus } from './api.js';
import { byId, el } from './dom.js';
import { currentLang, t, timeOf } from './i18n.js';

/** @import { SystemStatus } from './types.js' */

const EVERY_MS = 60_000;
/** What was heard longer ago than this is no news any more. */
const OLD_MS = 5 * EVERY_MS;

export class Health {
  #node = byId('health', HTMLElement);
  /** @type {SystemStatus | null} */
  #status = null;
  #heard = 0;
  #told = '';

  constructor() {
    setInterval(() => void this.look(), EVERY_MS);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.look();
    });
    void this.look();
  }

  /** Asks anew, as after the language was changed. */
  async look() {
    if (document.hidden) return;
    try {
      this.#status = await readStatus(currentLang());
      this.#heard = Date.now();
    } catch {
      if (Date.now() - this.#heard > OLD_MS) this.#status = null;
    }
    this.#draw();
  }

  #draw() {
    const lines = this.#lines();
    const told = lines.join('\n');
    // A screen reader is told once, not each minute.
    if (told === this.#told) return;
    this.#told = told;
    this.#node.replaceChildren(...lines.map((line) => el('span', { class: 'banner-line', dir: 'auto' }, line)));
  }

  /** @returns {string[]} */
  #lines() {
    const status = this.#status;
    if (!status) return [];
    const lines = [];
    for (const [system, name] of /** @type {const} */ ([['sistem', 'Sistem iSPEKS'], ['portal', 'Portal iSPEKS']])) {
      const since = status[`${system}_since`];
      const time = since ? timeOf(since) : '';
      if (status[system] === 'down') lines.push(t('health_down', { name, time }));
      if (status[system] === 'maintenance') lines.push(t('health_maintenance', { name, time }));
    }
    if (lines.length && status.note) lines.push(status.note);
    if (status.announcement) lines.push(status.announcement);
    return lines;
  }
}
