// The page around the messages: puts the list on screen with as few changes as possible, and shows states in words.

import { Banner } from './banner.js';
import { byId } from './dom.js';
import { applyLang, currentLang, t } from './i18n.js';
import { render, update } from './message.js';
import { Scroll } from './scroll.js';

/** @import { Trouble } from './conversation.js' */
/** @import { Acts } from './message.js' */
/** @import { Item } from './store.js' */
/** @import { Key } from './i18n.js' */
/** @import { Message } from './types.js' */

/** @typedef {'connecting' | 'live' | 'reconnecting' | 'offline' | 'ended'} State */

/** How long a word about what was done stays. */
const SAID_MS = 12_000;

export class View {
  #log = byId('log', HTMLElement);
  #typing = byId('typing', HTMLElement);
  #state = byId('state', HTMLElement);
  #said = byId('said', HTMLElement);
  #ended = byId('ended', HTMLElement);
  #lang = byId('lang', HTMLButtonElement);
  #end = byId('end', HTMLButtonElement);
  #more = byId('more-box', HTMLElement);
  #banner = new Banner();
  #scroll = new Scroll();
  /** @type {Acts} */
  #acts;
  /** @type {Map<string, HTMLElement>} */
  #nodes = new Map();
  /** What each shows: the server may change its mind. @type {WeakMap<HTMLElement, Message>} */
  #told = new WeakMap();
  /** @type {State} */
  #shown = 'connecting';
  /** @type {Trouble | null} */
  #trouble = null;
  #saidTimer = 0;
  #typingTimer = 0;
  /** @type {Key | null} */
  #endedText = null;
  #keptText = false;

  /** @param {Acts} acts */
  constructor(acts) {
    this.#acts = acts;
  }

  /** @param {Item[]} items */
  show(items) {
    const keys = new Set(items.map(({ key }) => key));
    for (const [key, node] of this.#nodes) {
      if (keys.has(key)) continue;
      node.remove();
      this.#nodes.delete(key);
    }
    /** @type {HTMLElement | null} */
    let firstNew = null;
    let ownNew = false;
    /** @type {Element | null} */
    let place = this.#log.firstElementChild;
    for (const item of items) {
      const old = this.#nodes.get(item.key);
      const known = old && item.message && this.#isStale(old, item.message) ? this.#renew(old, item) : old;
      // The new one stands where the old one stood.
      if (old === place && known) place = known;
      const node = known ?? render(item, this.#acts);
      if (item.message) this.#told.set(node, item.message);
      if (known) {
        update(known, item, this.#acts);
      } else {
        this.#nodes.set(item.key, node);
        if (item.pending) ownNew = true;
        else if (item.message.from !== 'user') firstNew ??= node;
      }
      if (node === place) place = place.nextElementSibling;
      else this.#log.insertBefore(node, place);
    }
    this.#markNewest(items);
    this.#offer();
    if (firstNew) this.stopTyping();
    if (firstNew || ownNew) {
      // An old conversation opens at its end, a new one at its start.
      const old = this.#log.getAttribute('aria-busy') === 'true' && items.some(({ message }) => message?.from === 'user');
      if (old) this.#scroll.toEnd();
      else this.#scroll.follow(firstNew, ownNew);
    }
  }

  /** @param {HTMLElement} node @param {Message} message */
  #isStale(node, message) {
    const told = this.#told.get(node);
    return told !== undefined && told !== message && message.from !== 'user' && JSON.stringify(told) !== JSON.stringify(message);
  }

  /** What changed is not news. @param {HTMLElement} old @param {Item} item */
  #renew(old, item) {
    const busy = this.#log.getAttribute('aria-busy') ?? 'false';
    this.#log.setAttribute('aria-busy', 'true');
    const node = render(item, this.#acts);
    node.classList.add('is-renewed');
    if (old.contains(document.activeElement)) byId('scroll', HTMLElement).focus({ preventScroll: true });
    old.replaceWith(node);
    this.#nodes.set(item.key, node);
    this.#log.setAttribute('aria-busy', busy);
    return node;
  }

  /** Only the newest message's choices stand out; a notice beside it does not count. @param {Item[]} items */
  #markNewest(items) {
    const newest = items.findLast(({ message }) => message && message.from !== 'user' && message.kind !== 'notice');
    for (const [key, node] of this.#nodes) node.classList.toggle('is-newest', key === newest?.key);
  }

  /** The list that was there before we came is not news. @param {boolean} busy */
  setBusy(busy) {
    this.#log.setAttribute('aria-busy', String(busy));
  }

  /** @param {number} after milliseconds; a quick answer needs no indicator */
  startTyping(after) {
    if (this.#typingTimer || this.#typing.hasChildNodes()) return;
    this.#typingTimer = setTimeout(() => {
      this.#typingTimer = 0;
      const dots = document.createElement('span');
      dots.className = 'dots';
      dots.append(...[1, 2, 3].map(() => document.createElement('i')));
      this.#typing.append(dots, t('typing'));
      this.#scroll.follow(null, false);
    }, after);
  }

  stopTyping() {
    clearTimeout(this.#typingTimer);
    this.#typingTimer = 0;
    this.#typing.replaceChildren();
  }

  /** @param {State} state @param {Trouble | null} [trouble] */
  setState(state, trouble = null) {
    this.#shown = state;
    this.#trouble = trouble;
    this.#state.dataset.state = state;
    this.#state.textContent = t(`state_${state}`);
    this.#banner.show(state, trouble);
    this.#offer();
    if (state !== 'ended') return;
    this.stopTyping();
    this.say(null);
  }

  /** What there is nothing to do it with is not offered. */
  #offer() {
    this.#end.hidden = this.#shown === 'connecting' || this.#shown === 'ended';
    this.#more.hidden = this.#end.hidden || this.#nodes.size === 0;
  }

  /** A word about what was done, for a while or until the next. @param {Key | null} key @param {boolean} [stays] */
  say(key, stays = false) {
    clearTimeout(this.#saidTimer);
    this.#said.textContent = key ? t(key) : '';
    if (key && !stays) this.#saidTimer = setTimeout(() => this.say(null), SAID_MS);
  }

  /**
   * @param {Key | null} text why the conversation is over, or null while it is not
   * @param {boolean} kept whether an unsent message waits for the next one
   */
  setEnded(text, kept) {
    this.#endedText = text;
    this.#keptText = kept;
    this.#ended.hidden = text === null;
    byId('scroll', HTMLElement).hidden = text !== null;
    byId('ended-title', HTMLElement).textContent = text ? t('ended_title') : '';
    byId('ended-text', HTMLElement).textContent = text ? `${t(text)}${kept ? ` ${t('ended_kept')}` : ''}` : '';
    if (text) byId('ended-title', HTMLElement).focus();
  }

  /** Everything again, in the current language. @param {Item[]} items */
  relabel(items) {
    applyLang();
    this.setBusy(true);
    this.#nodes.clear();
    this.#log.replaceChildren();
    this.show(items);
    this.setBusy(false);
    this.setState(this.#shown, this.#trouble);
    this.say(null);
    if (this.#endedText) this.setEnded(this.#endedText, this.#keptText);
    const other = currentLang() === 'ms' ? 'en' : 'ms';
    this.#lang.lang = other;
    this.#lang.textContent = other === 'en' ? 'EN' : 'BM';
    this.#lang.setAttribute('aria-label', other === 'en' ? 'EN – English' : 'BM – Bahasa Melayu');
  }
}
