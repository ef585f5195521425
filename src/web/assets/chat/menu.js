// The "More" button and its menu: arrows move, Escape and Tab close it and only it, focus goes back to the button.

import { byId } from './dom.js';

export class Menu {
  #box = byId('more-box', HTMLElement);
  #button = byId('more', HTMLButtonElement);
  #list = byId('menu', HTMLElement);

  constructor() {
    this.#button.addEventListener('click', () => (this.isOpen ? this.close() : this.#open(0)));
    this.#box.addEventListener('keydown', (event) => this.#key(event));
    // Before the entry's own act, which may want the focus elsewhere. A tick is to be seen: that leaves the menu open.
    this.#list.addEventListener('click', ({ target }) => {
      if (!(target instanceof Element) || !target.closest('[role="menuitemcheckbox"]')) this.close();
    }, true);
    document.addEventListener('pointerdown', ({ target }) => {
      if (target instanceof Node && !this.#box.contains(target)) this.#shut();
    });
    // The page around the frame tells us of its clicks in no other way.
    window.addEventListener('blur', () => this.#shut());
    this.#box.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !this.#box.contains(relatedTarget)) this.#shut();
    });
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  /** Closes, and puts the focus back where it came from. */
  close() {
    if (!this.isOpen) return;
    this.#button.focus();
    this.#shut();
  }

  #shut() {
    this.#list.hidden = true;
    this.#button.setAttribute('aria-expanded', 'false');
  }

  /** @param {number} at which entry gets the focus; -1 is the last */
  #open(at) {
    this.#list.hidden = false;
    this.#button.setAttribute('aria-expanded', 'true');
    this.#entries().at(at)?.focus();
  }

  /** What the style sheet or the browser leaves out is not there. */
  #entries() {
    return [...this.#list.querySelectorAll('button')].filter((entry) => entry.checkVisibility?.() ?? !entry.hidden);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key } = event;
    if (!this.isOpen) {
      if (key !== 'ArrowDown' && key !== 'ArrowUp') return;
      event.preventDefault();
      this.#open(key === 'ArrowDown' ? 0 : -1);
      return;
    }
    // The browser goes on from the button.
    if (key === 'Tab') return this.close();
    const entries = this.#entries();
    const at = entries.findIndex((entry) => entry === document.activeElement);
    if (key === 'Escape') this.close();
    else if (key === 'ArrowDown') entries.at((at + 1) % entries.length)?.focus();
    else if (key === 'ArrowUp') entries.at(at < 1 ? -1 : at - 1)?.focus();
    else if (key === 'Home') entries.at(0)?.focus();
    else if (key === 'End') entries.at(-1)?.focus();
    else return;
    event.preventDefault();
    // Escape closes the menu, not the panel around it.
    event.stopPropagation();
  }
}
