// Follows the conversation only while the reader is at its end; otherwise offers a way there.

import { byId } from './dom.js';

/** This near to the end counts as at the end, in CSS pixels. */
const NEAR = 48;
/** What stays visible above a long new message. */
const ABOVE = 16;

export class Scroll {
  #box = byId('scroll', HTMLElement);
  #button = byId('newest', HTMLButtonElement);
  #atEnd = true;
  /** At the very end, where a change of size must not move the reader away. */
  #stuck = true;

  constructor() {
    this.#box.addEventListener('scroll', () => this.#look(), { passive: true });
    this.#button.addEventListener('click', () => {
      this.toEnd();
      this.#box.focus();
    });
    // The keyboard comes up, the composer grows: who was at the end stays there.
    new ResizeObserver(() => {
      if (this.#stuck) this.toEnd();
      else this.#look();
    }).observe(this.#box);
  }

  /**
   * After messages were added.
   * @param {HTMLElement | null} first the first new one from the other side
   * @param {boolean} ownNew whether the person has just said something
   */
  follow(first, ownNew) {
    if (!this.#atEnd && !ownNew) {
      if (first) this.#button.hidden = false;
      return;
    }
    this.toEnd();
    // A message taller than the window is read from its start.
    if (first && first.offsetTop - ABOVE < this.#box.scrollTop) {
      this.#box.scrollTop = first.offsetTop - ABOVE;
      this.#look();
    }
  }

  toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#look();
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    const below = scrollHeight - scrollTop - clientHeight;
    this.#atEnd = below < NEAR;
    this.#stuck = below < 2;
    if (this.#atEnd) this.#button.hidden = true;
  }
}
