// A picture for the officers: chosen or pasted, asked about once, then sent like any message. It is never shown here.

import { byId } from './dom.js';
import { currentLang, t } from './i18n.js';

/** @import { Key } from './i18n.js' */

/** The server's own limit, in bytes. */
const LIMIT = 5 * 1024 * 1024;
const KINDS = ['image/png', 'image/jpeg'];

/**
 * @typedef {object} PictureOwner
 * @property {(picture: File) => void} send
 * @property {(key: Key) => void} say why a picture is not taken
 * @property {() => void} focus back to where one types
 */

export class Picture {
  #dialog = byId('picture-confirm', HTMLDialogElement);
  #input = byId('picture', HTMLInputElement);
  #button = byId('attach', HTMLButtonElement);
  /** @type {File | null} */
  #chosen = null;
  #owner;

  /** @param {PictureOwner} owner */
  constructor(owner) {
    this.#owner = owner;
    this.#button.addEventListener('click', () => this.#input.click());
    this.#input.addEventListener('change', () => {
      const file = this.#input.files?.[0];
      // The same one may be chosen again.
      if (file) this.#ask(file);
      this.#input.value = '';
    });
    byId('text', HTMLTextAreaElement).addEventListener('paste', (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      // What has text too, as a cell of a table, is pasted as text.
      if (!file || event.clipboardData?.getData('text/plain')) return;
      event.preventDefault();
      this.#ask(file);
    });
    byId('picture-no', HTMLButtonElement).addEventListener('click', () => this.close());
    byId('picture-yes', HTMLButtonElement).addEventListener('click', () => {
      const file = this.#chosen;
      this.close();
      if (file) this.#owner.send(file);
      this.#owner.focus();
    });
    this.#dialog.addEventListener('close', () => {
      this.#chosen = null;
    });
  }

  close() {
    this.#chosen = null;
    this.#dialog.close();
  }

  /** @param {File} file */
  #ask(file) {
    if (!KINDS.includes(file.type)) return this.#owner.say('picture_unsupported');
    if (file.size > LIMIT) return this.#owner.say('picture_too_large');
    this.#chosen = file;
    byId('picture-name', HTMLElement).textContent = `${file.name || t('picture')} (${sizeOf(file.size)})`;
    this.#dialog.showModal();
  }
}

/** @param {number} bytes */
function sizeOf(bytes) {
  const format = (/** @type {number} */ count, /** @type {string} */ unit) =>
    new Intl.NumberFormat(currentLang(), { style: 'unit', unit, maximumFractionDigits: 1 }).format(count);
  return bytes < 1024 * 1024 ? format(Math.ceil(bytes / 1024), 'kilobyte') : format(bytes / (1024 * 1024), 'megabyte');
}
