// One message as an element. What was said is text; only what safeUrl lets through becomes a link.

import { el } from './dom.js';
import { dayOf, t, timeOf } from './i18n.js';
import { linkBox, veil } from './link.js';
import { anchor, paragraphs, rich, safeUrl } from './rich.js';

/** @import { Answer, Choice, Message, Pending } from './types.js' */
/** @import { LinkActs } from './link.js' */
/** @import { Item } from './store.js' */

/** @typedef {OwnActs & LinkActs} Acts */
/**
 * @typedef {object} OwnActs what a person can do with a message
 * @property {(choice: Choice) => void} choose
 * @property {(seq: number, helpful: boolean) => Promise<void>} rate
 * @property {(seq: number) => boolean | undefined} ratingOf
 * @property {(pending: Pending) => void} edit
 * @property {(pending: Pending) => void} dismiss
 */

/** @param {Item} item @param {Acts} acts */
export function render(item, acts) {
  return item.pending || item.message.from === 'user' ? own(item, acts) : theirs(item.message, acts);
}

/**
 * Own messages change: pending becomes sent, the server's copy may read otherwise.
 * @param {HTMLElement} node
 * @param {Item} item
 * @param {Acts} acts
 */
export function update(node, item, acts) {
  if (!item.pending && item.message.from !== 'user') return;
  const text = (item.pending ?? item.message).text;
  const body = node.querySelector('.text');
  if (body && body.textContent !== text) body.textContent = text;
  const old = node.querySelector('.meta');
  const meta = ownMeta(item, acts);
  // What did not change is not drawn again, and not read out again.
  if (old && !old.isEqualNode(meta)) old.replaceWith(meta);
  node.classList.toggle('is-pending', Boolean(item.pending && item.pending.state !== 'sent'));
}

/** @param {Item} item @param {Acts} acts */
function own(item, acts) {
  const { text } = item.pending ?? item.message;
  const bubble = el('div', { class: 'bubble' }, el('span', { class: 'sr' }, `${t('you')}: `), el('p', { class: 'text', dir: 'auto' }, text));
  const node = el('div', { class: 'message message-user' }, bubble, ownMeta(item, acts));
  node.classList.toggle('is-pending', Boolean(item.pending && item.pending.state !== 'sent'));
  return node;
}

/** @param {Item} item @param {Acts} acts */
function ownMeta({ message, pending }, acts) {
  if (!pending) return el('p', { class: 'meta' }, time(message.at));
  if (pending.state === 'sent') return el('p', { class: 'meta' }, time(pending.at));
  const refused = ['expired', 'too_long', 'empty', 'refused'].includes(pending.state) || pending.state.startsWith('picture_');
  const meta = el('p', { class: refused ? 'meta meta-refused' : 'meta', 'data-state': pending.state }, stateOf(pending));
  if (!refused) return meta;
  if (pending.choice === undefined && !pending.picture) meta.append(' ', button('small', t('edit'), () => acts.edit(pending)));
  meta.append(' ', button('small', t('dismiss'), () => acts.dismiss(pending)));
  return meta;
}

/** @param {Pending} pending */
function stateOf({ state, until }) {
  if (!until || (state !== 'slow' && state !== 'busy')) return t(state);
  return t(`${state}_until`, { time: timeOf(new Date(until).toISOString()) });
}

/** @param {Message} message @param {Acts} acts */
function theirs(message, acts) {
  const { kind, from, answer, link, ticket, choices } = message;
  const who = from === 'officer' ? (message.name ?? t('officer')) : t('bot');
  const node = el('div', { class: `message message-${from} kind-${kind}` });
  node.append(el('p', { class: 'who' }, who, ' ', time(message.at)));
  const bubble = el('div', { class: 'bubble', dir: 'auto' });
  const text = veil(message.text);
  const lead = answer ? leadOf(text, answer) : text;
  bubble.append(...paragraphs(lead, true));
  if (answer) bubble.append(...card(answer));
  if (ticket) bubble.append(ticketLine(ticket));
  if (link || kind === 'prompt' || kind === 'link') bubble.append(linkBox(message, acts));
  if (bubble.hasChildNodes()) node.append(bubble);
  if (answer) node.append(feedback(message.seq, acts));
  if (choices?.length) node.append(choiceList(choices, acts));
  return node;
}

/**
 * For channels without cards an answer's text is the whole answer; beside the card only what it adds is shown.
 * @param {string} text
 * @param {Answer} answer
 */
export function leadOf(text, answer) {
  const parts = [answer.title, answer.body, ...(answer.steps ?? [])].filter(Boolean);
  return parts.some((part) => text.includes(part)) || parts[0]?.includes(text) ? '' : text;
}

/** @param {Answer} answer */
function card(answer) {
  /** @type {HTMLElement[]} */
  const parts = [];
  if (answer.title) parts.push(el('h2', { class: 'answer-title' }, answer.title));
  parts.push(...paragraphs(answer.body ?? '', true));
  if (answer.steps?.length) {
    parts.push(el('ol', { class: 'steps', 'aria-label': t('steps') }, ...answer.steps.map((step) => el('li', {}, ...rich(step)))));
  }
  if (answer.note) parts.push(el('div', { class: 'note' }, ...paragraphs(answer.note, true)));
  if (answer.links?.length) parts.push(el('ul', { class: 'links' }, ...answer.links.map(linkItem)));
  const origin = originOf(answer);
  if (origin) parts.push(origin);
  return parts;
}

/** @param {{ label: string, url: string }} link */
function linkItem({ label, url }) {
  const safe = safeUrl(url);
  if (!safe) return el('li', {}, label);
  const text = el('span', {}, el('span', { class: 'link-label' }, label));
  if (!label.includes(safe.host)) text.append(' ', el('span', { class: 'link-host' }, safe.host));
  return el('li', {}, anchor(safe, text, el('span', { class: 'icon icon-external' })));
}

/** @param {Answer} answer */
function originOf({ source, reviewed }) {
  if (!source?.title && !reviewed) return null;
  const line = el('p', { class: 'origin' });
  if (source?.title) {
    const url = safeUrl(source.url);
    line.append(t('source'), url ? anchor(url, source.title) : source.title);
  }
  if (source?.title && reviewed) line.append(' · ');
  if (reviewed) line.append(t('reviewed', { date: dayOf(reviewed) }));
  return line;
}

/** @param {{ number: string, status: string }} ticket */
function ticketLine({ number, status }) {
  return el('p', { class: 'ticket' }, el('span', { class: 'icon icon-ticket' }), el('strong', {}, t('ticket', { number })), ' ', el('span', { class: 'ticket-status' }, status));
}

/** @param {number} seq @param {Acts} acts */
function feedback(seq, acts) {
  const said = el('span', { class: 'feedback-said', role: 'status' });
  const yes = button('vote', t('yes'), () => vote(true));
  const no = button('vote', t('no'), () => vote(false));
  const show = () => {
    const rating = acts.ratingOf(seq);
    yes.setAttribute('aria-pressed', String(rating === true));
    no.setAttribute('aria-pressed', String(rating === false));
    said.textContent = rating === undefined ? '' : t('thanks');
  };
  /** @param {boolean} helpful */
  const vote = async (helpful) => {
    if (acts.ratingOf(seq) === helpful) return;
    const sent = acts.rate(seq, helpful);
    show();
    await sent.then(show, () => {
      show();
      said.textContent = t('feedback_failed');
    });
  };
  show();
  const id = `helpful-${seq}`;
  return el('div', { class: 'feedback', role: 'group', 'aria-labelledby': id }, el('span', { id }, t('helpful')), yes, no, said);
}

/** @param {Choice[]} choices @param {Acts} acts */
function choiceList(choices, acts) {
  let pressed = 0;
  const buttons = choices.map((choice) =>
    button('choice', choice.label, () => {
      // A double click is one choice.
      if (Date.now() - pressed < 800) return;
      pressed = Date.now();
      acts.choose(choice);
    }),
  );
  return el('div', { class: 'choices', role: 'group', 'aria-label': t('choices') }, ...buttons);
}

/** @param {string} at */
function time(at) {
  return el('time', { datetime: at }, timeOf(at));
}

/** @param {string} kind @param {string} label @param {() => void} act */
function button(kind, label, act) {
  const node = el('button', { type: 'button', class: kind }, label);
  node.addEventListener('click', act);
  return node;
}
