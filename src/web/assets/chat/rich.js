// Text with live addresses and phone numbers, built from nodes.

import { el } from './dom.js';
import { t } from './i18n.js';

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);
const URL_OR_PHONE =
  /(?<url>https?:\/\/[^\s<>"'“”]+)|(?<phone>(?<![\d+-])0\d{1,2}-\d{3,4} ?\d{3,4}(?![\d-])(?:,? ?(?:samb\.?|sambungan|ext\.?|extension) ?\d{1,6})?)/giu;

/**
 * @param {string | undefined} text
 * @returns {URL | null} only what may be followed: https, or http to this very machine
 */
export function safeUrl(text) {
  try {
    const url = new URL(text ?? '');
    const allowed = url.protocol === 'https:' || (url.protocol === 'http:' && LOCAL.has(url.hostname));
    return allowed && !url.username && !url.password ? url : null;
  } catch {
    return null;
  }
}

/**
 * @param {URL} url
 * @param {...(Node | string)} children
 */
export function anchor(url, ...children) {
  const hint = el('span', { class: 'sr' }, ` ${t('new_window')}`);
  return el('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer' }, ...children, hint);
}

/**
 * An address in running text ends before the sentence's own punctuation.
 * @param {string} found
 */
function trimmed(found) {
  let url = found.replace(/[.,;:!?'’…]+$/u, '');
  while (url.endsWith(')') && url.split(')').length > url.split('(').length) url = url.slice(0, -1).replace(/[.,;:!?]+$/u, '');
  return url;
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function rich(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let done = 0;
  for (const match of text.matchAll(URL_OR_PHONE)) {
    const found = match.groups?.url ? trimmed(match[0]) : match[0];
    const url = match.groups?.url ? safeUrl(found) : null;
    const link = url ? address(url, found) : match.groups?.phone ? phone(found) : null;
    if (!link) continue;
    parts.push(text.slice(done, match.index), link);
    done = match.index + found.length;
  }
  parts.push(text.slice(done));
  return parts.filter((part) => part !== '');
}

/** @param {URL} url @param {string} text which is the address already: paper need not repeat it */
function address(url, text) {
  const link = anchor(url, text);
  link.className = 'address';
  return link;
}

/** @param {string} text a Malaysian number, perhaps with an extension, which tel: does not carry */
function phone(text) {
  const digits = text.replace(/[a-z,].*$/iu, '').replace(/\D/gu, '');
  return el('a', { href: `tel:+6${digits}`, class: 'phone' }, text);
}

/**
 * Paragraphs at empty lines; single line breaks are kept by the style sheet.
 * @param {string} text
 * @param {boolean} live whether addresses become links
 */
export function paragraphs(text, live) {
  return text.split(/\n{2,}/u).filter((part) => part.trim()).map((part) => el('p', {}, ...(live ? rich(part.trim()) : [part.trim()])));
}
