// What stands under a message that leads to a page of ours: the page that asks for proof, or a document. It dies in time.

import { el } from './dom.js';
import { t, timeOf } from './i18n.js';
import { anchor, safeUrl } from './rich.js';

/** @import { Message, PersonalLink } from './types.js' */

/**
 * @typedef {object} LinkActs
 * @property {(url: string) => boolean} prove opens the page that asks for proof; false where the browser blocked it
 * @property {() => void} follow the person opens that page by a link of their own
 */

/** A longer wait does not fit a timer; such a link outlives the page anyway. */
const TIMER_MS = 86_400_000;
const PERSONAL = /https?:\/\/[^\s#]+\/(?:verify|l|bukan-saya)#[^\s]+/gu;

/** Text without the addresses of personal links: whoever has one may use it. @param {string} text */
export function veil(text) {
  return text.replace(PERSONAL, t('personal_link'));
}

/**
 * @param {Message} message of kind prompt or link, or any with a link
 * @param {LinkActs} acts
 */
export function linkBox({ kind, link }, acts) {
  const box = el('div', { class: 'link' });
  const expire = () => box.replaceChildren(el('p', { class: 'meta' }, t('link_expired')));
  const left = link?.expires_at ? Date.parse(link.expires_at) - Date.now() : Infinity;
  // A link that the server no longer tells has expired too.
  if (!link || left <= 0) {
    expire();
    return box;
  }
  const url = safeUrl(link.url);
  if (!url) {
    box.append(el('p', {}, link.label));
    return box;
  }
  const isOver = () => Boolean(link.expires_at && Date.parse(link.expires_at) <= Date.now());
  box.append(kind === 'prompt' ? opener(url, link, box, acts) : follower(url, link));
  box.append(el('p', { class: 'paper' }, `${link.label} ${t('personal_link')}`));
  if (link.expires_at) {
    const until = kind === 'prompt' ? 'valid_until' : 'valid_once';
    box.append(el('p', { class: 'meta' }, t(until, { time: timeOf(link.expires_at) })));
    if (left < TIMER_MS) setTimeout(expire, left);
  }
  // A machine that slept may be late with its timers.
  box.addEventListener('click', (event) => {
    if (!isOver()) return;
    event.preventDefault();
    event.stopPropagation();
    expire();
  }, true);
  return box;
}

/** @param {URL} url @param {PersonalLink} link */
function follower(url, { label }) {
  const node = anchor(url, el('span', { class: 'icon icon-external' }), label);
  node.className = 'primary';
  return node;
}

/** @param {URL} url @param {PersonalLink} link @param {HTMLElement} box @param {LinkActs} acts */
function opener(url, { label }, box, acts) {
  const hint = el('span', { class: 'sr' }, ` ${t('new_window')}`);
  const node = el('button', { type: 'button', class: 'primary' }, el('span', { class: 'icon icon-lock' }), label, hint);
  node.addEventListener('click', () => {
    if (acts.prove(url.href) || box.querySelector('.blocked')) return;
    const way = el('a', { href: url.href, target: '_blank', rel: 'opener' }, t('blocked_link'), el('span', { class: 'sr' }, ` ${t('new_window')}`));
    way.addEventListener('click', () => acts.follow());
    node.after(el('p', { class: 'blocked', role: 'status' }, t('blocked'), ' ', way));
  });
  return node;
}
