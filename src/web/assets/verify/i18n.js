// Puts words on the page and knows which stand where, so that they can change language in place.

import { EN, MS } from './words.js';

/** @import { Key } from './words.js' */

/** @typedef {() => { [name: string]: string }} Values made anew each time, as a time reads differently too */

/** @type {'ms' | 'en'} */
let lang = 'ms';
/** @type {Map<Element, { key: Key, values: Values }>} */
const told = new Map();

export function currentLang() {
  return lang;
}

/** @param {Key} key @param {{ [name: string]: string }} [values] */
export function t(key, values = {}) {
  return (lang === 'en' ? EN : MS)[key].replace(/\{(\w+)\}/gu, (all, name) => values[name] ?? all);
}

/**
 * What an element says from now on, in whatever language; null: nothing.
 * @param {Element} node
 * @param {Key | null} key
 * @param {Values} [values]
 */
export function say(node, key, values = () => ({})) {
  if (key) told.set(node, { key, values });
  else told.delete(node);
  node.textContent = key ? t(key, values()) : '';
}

/** @param {string | undefined} key @returns {key is Key} */
export function isKey(key) {
  return key !== undefined && Object.hasOwn(MS, key);
}

/** @param {'ms' | 'en'} next */
export function setLang(next) {
  lang = next;
  document.documentElement.lang = lang;
  document.title = `${t('title')} – Tanya`;
  for (const node of document.querySelectorAll('[data-i18n]')) {
    const key = node instanceof HTMLElement ? node.dataset.i18n : undefined;
    if (isKey(key)) node.textContent = t(key);
  }
  for (const [node, { key, values }] of told) node.textContent = t(key, values());
}

/** @param {string} at RFC 3339 @param {boolean} day @returns {string} 22 Nov 2026, 10:42 */
export function timeOf(at, day) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const locale = lang === 'en' ? 'en-MY' : 'ms-MY';
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
  if (!day) return clock;
  return `${new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' }).format(date)}, ${clock}`;
}

/** @param {number} seconds @returns {string} 12 saat; from two minutes on 3 minit */
export function waitOf(seconds) {
  const whole = Math.max(1, Math.ceil(seconds));
  return whole < 120 ? t('seconds', { count: String(whole) }) : t('minutes', { count: String(Math.ceil(whole / 60)) });
}
