// The step that asks for the code: shown in two groups however it is typed or pasted, and a new one after a wait.

import { byId } from '../chat/dom.js';
import { Failure } from './api.js';
import { say, waitOf } from './i18n.js';

/** @import { Key } from './words.js' */

const DIGITS = 8;

/**
 * @typedef {object} CodeActs each throws what the server said
 * @property {(code: string) => Promise<void>} finish
 * @property {() => Promise<number | null>} resend seconds until the next one; null where it is all over
 */

/** @param {string} text */
function digitsOf(text) {
  return text.normalize('NFKC').replace(/\D/gu, '');
}

export class CodeForm {
  #form = byId('code-form', HTMLFormElement);
  #input = byId('code-text', HTMLInputElement);
  #error = byId('code-error', HTMLElement);
  #problem = byId('code-problem', HTMLElement);
  #status = byId('code-status', HTMLElement);
  #send = byId('code-send', HTMLButtonElement);
  #resend = byId('resend', HTMLButtonElement);
  #busy = false;
  /** When a new code may be asked for, as Date.now() counts. */
  #from = 0;
  #tick = 0;

  /** @param {CodeActs} acts */
  constructor(acts) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit(acts);
    });
    this.#input.addEventListener('input', () => this.#group());
    this.#resend.addEventListener('click', () => void this.#again(acts));
  }

  /** @param {number} wait seconds until a new code may be asked for @param {string} endsWith of the number; may be empty */
  open(wait, endsWith) {
    this.close();
    const hint = byId('code-hint', HTMLElement);
    say(hint, endsWith ? 'code_hint_for' : 'code_hint', () => ({ digits: endsWith }));
    this.#hold(wait);
  }

  /** Nothing that was typed stays. */
  close() {
    clearInterval(this.#tick);
    this.#form.reset();
    this.#clear();
    this.#wait(false);
  }

  #group() {
    const { value, selectionStart } = this.#input;
    const before = digitsOf(value.slice(0, selectionStart ?? value.length)).length;
    const digits = digitsOf(value).slice(0, DIGITS);
    const text = digits.replace(/^(\d{4})(?=\d)/u, '$1 ');
    if (text !== value) {
      this.#input.value = text;
      const caret = Math.min(before > 4 ? before + 1 : before, text.length);
      this.#input.setSelectionRange(caret, caret);
    }
    this.#clear();
  }

  #clear() {
    this.#blame(null);
    say(this.#problem, null);
    say(this.#status, null);
  }

  /** @param {Key | null} key @param {{ [name: string]: string }} [values] */
  #blame(key, values = {}) {
    say(this.#error, key, () => values);
    this.#input.setAttribute('aria-invalid', String(key !== null));
    if (!key) return;
    this.#input.focus();
    this.#input.select();
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.#busy = busy;
    this.#send.setAttribute('aria-disabled', String(busy));
    say(this.#send, busy ? 'sending' : 'code_send');
  }

  /** @param {number} seconds */
  #hold(seconds) {
    clearInterval(this.#tick);
    this.#from = Date.now() + seconds * 1000;
    this.#tick = setInterval(() => this.#count(), 500);
    this.#count();
  }

  #count() {
    const left = (this.#from - Date.now()) / 1000;
    this.#resend.setAttribute('aria-disabled', String(left > 0));
    if (left > 0) return say(this.#resend, 'resend_in', () => ({ wait: waitOf((this.#from - Date.now()) / 1000) }));
    clearInterval(this.#tick);
    say(this.#resend, 'resend');
  }

  /** @param {unknown} error */
  #suffer(error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'wrong_code') this.#blame('code_wrong', { count: String(error.attemptsLeft ?? '–') });
    else if (error.code === 'expired') this.#blame('code_expired');
    else say(this.#problem, error.key, () => ({ wait: waitOf(error.wait) }));
  }

  /** @param {CodeActs} acts */
  async #submit({ finish }) {
    if (this.#busy) return;
    this.#clear();
    const code = digitsOf(this.#input.value);
    if (code.length !== DIGITS) return this.#blame('code_length', { count: String(code.length) });
    this.#wait(true);
    await finish(code).catch((error) => this.#suffer(error)).finally(() => this.#wait(false));
  }

  /** @param {CodeActs} acts */
  async #again({ resend }) {
    if (this.#busy || Date.now() < this.#from) return;
    this.#form.reset();
    this.#clear();
    this.#wait(true);
    try {
      const wait = await resend();
      if (wait === null) return;
      this.#hold(wait);
      say(this.#status, 'resent');
      this.#input.focus();
    } catch (error) {
      if (error instanceof Failure && error.status === 429) this.#hold(error.wait);
      this.#suffer(error);
    } finally {
      this.#wait(false);
    }
  }
}
