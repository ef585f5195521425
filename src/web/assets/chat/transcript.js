// The conversation as plain text, as it reads on the page. Leaves out the addresses of personal links: whoever has one may use it.

import { dayOf, longTime, momentOf, t } from './i18n.js';
import { veil } from './link.js';
import { leadOf } from './message.js';
import { safeUrl } from './rich.js';

/** @import { Answer, Message } from './types.js' */
/** @import { Item } from './store.js' */

const RULE = '-'.repeat(60);

/** @param {Item[]} items @param {Date} now */
export function transcript(items, now) {
  const head = [t('title'), t('downloaded_on', { time: longTime(now) }), RULE];
  return `${[...head, ...items.map(entry)].join('\n\n')}\n`;
}

/** @param {Date} now @returns {string} tanya-2026-11-22-1430.txt, in local time */
export function fileName(now) {
  const [year, month, day, hour, minute] = [now.getFullYear(), now.getMonth() + 1, now.getDate(), now.getHours(), now.getMinutes()]
    .map((part) => String(part).padStart(2, '0'));
  return `tanya-${year}-${month}-${day}-${hour}${minute}.txt`;
}

/** Indented, so that nothing that was said can pass for another's line. @param {Item} item */
function entry({ message, pending }) {
  const who = !message || message.from === 'user' ? t('you') : t(message.from);
  const state = pending && pending.state !== 'sent' ? ` (${t(pending.state)})` : '';
  const said = message ? parts(message) : [pending.text];
  const body = veil(said.filter(Boolean).join('\n\n')).replace(/^(?=.)/gmu, '  ');
  return `[${momentOf((message ?? pending).at)}] ${who}${state}:\n${body}`;
}

/** @param {Message} message */
function parts({ text, answer, link, ticket }) {
  if (!answer && !link && !ticket) return [text];
  return [
    answer ? leadOf(text, answer) : text,
    ...(answer ? card(answer) : []),
    ticket ? `${t('ticket', { number: ticket.number })} – ${ticket.status}` : '',
    link ? `${link.label} ${t('personal_link')}` : '',
  ];
}

/** @param {Answer} answer */
function card({ title, body, steps, note, links, source, reviewed }) {
  const origin = [source?.title && `${t('source')}${address(source.title, source.url)}`, reviewed && t('reviewed', { date: dayOf(reviewed) })];
  return [
    title,
    body,
    (steps ?? []).map((step, at) => `${at + 1}. ${step.replaceAll('\n', '\n   ')}`).join('\n'),
    note ?? '',
    (links ?? []).map(({ label, url }) => `- ${address(label, url)}`).join('\n'),
    origin.filter(Boolean).join(' · '),
  ];
}

/** @param {string} label @param {string | undefined} url */
function address(label, url) {
  const safe = safeUrl(url);
  return safe ? `${label} (${safe.href})` : label;
}
