// The verification page: what was asked, who asks, the code, and the proof back to the chat. Keeps nothing.

import { byId } from '../chat/dom.js';
import { Failure, about as askAbout, finish, start } from './api.js';
import { CodeForm } from './code.js';
import { takeFragment } from './fragment.js';
import { handOver } from './handover.js';
import { currentLang, say, setLang, waitOf } from './i18n.js';
import { NumberForm } from './number.js';
import { showRequest } from './request.js';

/** @import { About, Finished, Kind } from './types.js' */
/** @import { Key } from './words.js' */

const STEPS = ['loading', 'confirm', 'number', 'code', 'message'];
const CLOSE_MS = 2_000;

let token = '';
/** @type {About | null} */
let request = null;
/** Who was typed here; null where the server knows from before. @type {{ kind: Kind, id_no: string } | null} */
let subject = null;
/** Counts beginnings, so that an answer to an earlier one is not heard. */
let round = 0;

/** @param {string} step */
function show(step) {
  for (const id of STEPS) byId(id, HTMLElement).hidden = id !== step;
  window.scrollTo(0, 0);
  document.getElementById(`${step}-title`)?.focus();
}

/** A page of its own, mostly the last. @param {Key} title @param {Key} text @param {'retry' | 'telegram' | null} [tool] @param {() => { [name: string]: string }} [values] */
function tell(title, text, tool = null, values) {
  say(byId('message-title', HTMLElement), title);
  say(byId('message-text', HTMLElement), text, values);
  byId('message-tools', HTMLElement).hidden = tool === null;
  for (const id of ['retry', 'telegram']) byId(id, HTMLElement).hidden = id !== tool;
  show('message');
}

/** It is over: what this page knew, it forgets. */
function forget() {
  round += 1;
  token = '';
  subject = null;
  numberForm.open(false);
  codeForm.close();
}

/** @param {Key} title @param {Key} text @param {'telegram' | null} [tool] */
function end(title, text, tool = null) {
  forget();
  tell(title, text, tool);
}

const numberForm = new NumberForm(async (who) => {
  const mine = round;
  const started = await ended(start(token, who));
  if (!started || mine !== round) return;
  subject = who;
  if (started.done) return end('manual_title', 'manual_done');
  codeForm.open(started.resend_after ?? 60, who.id_no.slice(-4));
  show('code');
});

const codeForm = new CodeForm({
  finish: async (code) => {
    const mine = round;
    const finished = await ended(finish(token, code));
    if (finished && mine === round) proved(finished);
  },
  resend: async () => {
    const mine = round;
    const started = await ended(start(token, subject));
    return started && mine === round ? (started.resend_after ?? 60) : null;
  },
});

/**
 * What ends everything is told here; the rest is the form's.
 * @template T
 * @param {Promise<T>} call
 * @returns {Promise<T | null>}
 */
async function ended(call) {
  const mine = round;
  try {
    return await call;
  } catch (error) {
    if (mine !== round) return null;
    if (!(error instanceof Failure)) throw error;
    if (error.isGone) end('gone_title', 'gone_text');
    else if (error.code === 'locked' || error.attemptsLeft === 0) end('locked_title', 'locked_text');
    else throw error;
    return null;
  }
}

/** @param {Finished} finished */
function proved({ return: secret, telegram }) {
  if (request?.channel === 'telegram') {
    if (!telegram || !/^https:\/\/t\.me\/\w+\?start=[\w-]+$/u.test(telegram)) return end('lost_title', 'lost_text');
    byId('telegram', HTMLAnchorElement).href = telegram;
    return end('telegram_title', 'telegram_text', 'telegram');
  }
  end('handing_title', 'handing_text');
  handOver(secret, {
    onTaken: () => {
      tell('done_title', 'done_text');
      setTimeout(() => window.close(), CLOSE_MS);
    },
    onLost: () => tell('lost_title', 'lost_text'),
  });
}

async function begin() {
  forget();
  token = takeFragment();
  if (!token) return tell('start_title', 'start_text');
  await load();
}

async function load() {
  const mine = round;
  show('loading');
  try {
    const found = await askAbout(token);
    if (mine !== round) return;
    request = found;
    relabel(found.language === 'en' ? 'en' : 'ms');
    if (found.step !== 'done') show('confirm');
    else if (found.mode === 'manual') end('manual_title', 'manual_done');
    else end('finished_title', 'finished_text');
  } catch (error) {
    if (mine !== round) return;
    if (!(error instanceof Failure)) throw error;
    if (error.isGone || error.status === 400) end('gone_title', 'gone_text');
    else tell('failed_title', error.key, 'retry', () => ({ wait: waitOf(error.wait) }));
  }
}

/** @param {'ms' | 'en'} next */
function relabel(next) {
  setLang(next);
  if (request) showRequest(request);
  const other = next === 'ms' ? 'en' : 'ms';
  const button = byId('lang', HTMLButtonElement);
  button.lang = other;
  button.textContent = other === 'en' ? 'EN' : 'BM';
  button.setAttribute('aria-label', other === 'en' ? 'EN – English' : 'BM – Bahasa Melayu');
}

byId('go', HTMLButtonElement).addEventListener('click', () => {
  if (request?.step === 'code') codeForm.open(request.resend_after ?? 0, request.ends_with ?? '');
  else numberForm.open(request?.mode === 'manual');
  show(request?.step === 'code' ? 'code' : 'number');
});
for (const button of document.querySelectorAll('.not-me')) {
  button.addEventListener('click', () => {
    end('closed_title', 'closed_text');
    // Works only where a chat opened this window; elsewhere the advice stays.
    window.close();
  });
}
byId('retry', HTMLButtonElement).addEventListener('click', () => void load());
byId('lang', HTMLButtonElement).addEventListener('click', () => relabel(currentLang() === 'ms' ? 'en' : 'ms'));
// The chat's button uses the same window again: only the fragment changes then.
window.addEventListener('hashchange', () => {
  if (location.hash.length > 1) void begin();
});
// What was typed is not shown to whoever comes back to this page.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted && byId('message', HTMLElement).hidden) location.reload();
});

relabel('ms');
void begin();
