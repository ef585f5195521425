// The box where one types: grows, counts, sends with Enter.

import { byId } from './dom.js';
import { t } from './i18n.js';

/** The server's own limit, in characters. */
const LIMIT = 4096;
const WARN_FROM = 3600;

export class Composer {
  #form = byId('composer', HTMLFormElement);
  #text = byId('text', HTMLTextAreaElement);
  #send = byId('send', HTMLButtonElement);
  #count = byId('count', HTMLElement);
  #said = byId('count-said', HTMLElement);

  /** @param {(text: string) => void} onSend */
  constructor(onSend) {
    const send = () => {
      const text = this.#text.value.trim();
      if (!text || this.#over() > 0) return;
      this.#text.value = '';
      this.#show();
      onSend(text);
      this.#text.focus();
    };
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      send();
    });
    this.#text.addEventListener('keydown', (event) => {
      // 229: Safari ends a composition before its Enter arrives.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      send();
    });
    this.#text.addEventListener('input', () => this.#show());
    window.addEventListener('resize', () => this.#grow());
    this.#show();
  }

  get text() {
    return this.#text.value;
  }

  /** @param {string} text */
  set text(text) {
    this.#text.value = text;
    this.#show();
  }

  set hidden(/** @type {boolean} */ hidden) {
    this.#form.hidden = hidden;
    if (!hidden) this.#grow();
  }

  focus() {
    this.#text.focus();
  }

  refresh() {
    this.#show();
  }

  /** Characters over the limit, counted as the server counts. */
  #over() {
    const { value } = this.#text;
    return value.length > WARN_FROM / 2 ? [...value.trim()].length - LIMIT : value.length - LIMIT;
  }

  #show() {
    const over = this.#over();
    const near = over + LIMIT >= WARN_FROM;
    const text = over > 0 ? t('over', { count: String(over) }) : near ? t('left', { count: String(-over) }) : '';
    this.#count.textContent = text;
    this.#count.classList.toggle('is-over', over > 0);
    this.#text.setAttribute('aria-invalid', String(over > 0));
    this.#send.disabled = over > 0;
    // Said once at each threshold, not at each key.
    const stage = over > 0 ? 'over' : near ? 'near' : '';
    if (this.#said.dataset.stage !== stage) {
      this.#said.dataset.stage = stage;
      this.#said.textContent = text;
    }
    this.#grow();
  }

  #grow() {
    // The style sheet's max-height stops it at five lines.
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }
}
