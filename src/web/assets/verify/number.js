// The step that asks who: staff or supplier, and the number. Says under the field what is wrong with it.

import { byId } from '../chat/dom.js';
import { Failure } from './api.js';
import { say, waitOf } from './i18n.js';
import { normal, wrong } from './ident.js';

/** @import { Kind } from './types.js' */
/** @import { Key } from './words.js' */

export class NumberForm {
  #form = byId('number-form', HTMLFormElement);
  #kinds = byId('kinds', HTMLFieldSetElement);
  #kindError = byId('kind-error', HTMLElement);
  #field = byId('id-field', HTMLElement);
  #input = byId('id-no', HTMLInputElement);
  #error = byId('id-error', HTMLElement);
  #problem = byId('number-problem', HTMLElement);
  #send = byId('number-send', HTMLButtonElement);
  #busy = false;
  #manual = false;

  /** @param {(subject: { kind: Kind, id_no: string }) => Promise<void>} onSend throws what the server said */
  constructor(onSend) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit(onSend);
    });
    this.#kinds.addEventListener('change', () => this.#choose());
    this.#input.addEventListener('input', () => this.#blame(null));
  }

  /** Empty and fresh. @param {boolean} manual */
  open(manual) {
    this.#manual = manual;
    this.#form.reset();
    this.#field.hidden = true;
    this.#blame(null);
    say(this.#kindError, null);
    say(this.#problem, null);
    this.#wait(false);
  }

  /** @returns {Kind | null} */
  get #kind() {
    const kind = new FormData(this.#form).get('kind');
    return kind === 'staff' || kind === 'supplier' ? kind : null;
  }

  #choose() {
    const staff = this.#kind === 'staff';
    this.#field.hidden = false;
    say(byId('id-label', HTMLElement), staff ? 'staff_label' : 'supplier_label');
    say(byId('id-hint', HTMLElement), staff ? 'staff_format' : 'supplier_format');
    this.#input.inputMode = staff ? 'numeric' : 'text';
    this.#blame(null);
    say(this.#kindError, null);
  }

  /** @param {Key | null} key @param {{ [name: string]: string }} [values] */
  #blame(key, values = {}) {
    say(this.#error, key, () => values);
    this.#input.setAttribute('aria-invalid', String(key !== null));
    if (key) this.#input.focus();
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.#busy = busy;
    this.#send.setAttribute('aria-disabled', String(busy));
    say(this.#send, busy ? 'sending' : this.#manual ? 'send_manual' : 'send_code');
  }

  /** @param {(subject: { kind: Kind, id_no: string }) => Promise<void>} onSend */
  async #submit(onSend) {
    if (this.#busy) return;
    const kind = this.#kind;
    if (!kind) {
      say(this.#kindError, 'kind_missing');
      this.#kinds.querySelector('input')?.focus();
      return;
    }
    const id_no = normal(this.#input.value, kind === 'staff');
    const fault = wrong(id_no, kind === 'staff');
    if (fault) return this.#blame(fault.key, fault.values);
    say(this.#problem, null);
    this.#wait(true);
    try {
      await onSend({ kind, id_no });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'invalid_id_no') this.#blame('id_invalid');
      else say(this.#problem, error.key, () => ({ wait: waitOf(error.wait) }));
    } finally {
      this.#wait(false);
    }
  }
}
