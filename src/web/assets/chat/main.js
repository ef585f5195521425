// The chat page: ties the conversation, the view, the composer and the embedding page together.

import { Attention } from './attention.js';
import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { byId } from './dom.js';
import { forgetDownload } from './download.js';
import { Health } from './health.js';
import { connectHost } from './host.js';
import { currentLang, setLang } from './i18n.js';
import { Menu } from './menu.js';
import { Picture } from './picture.js';
import { Proof } from './proof.js';
import { loadSession } from './session.js';
import { setSound } from './sound.js';
import { connectTools, resetTools } from './tools.js';
import { View } from './view.js';
import { watchPage } from './watch.js';

/** @import { Lang, Choice } from './types.js' */

const params = new URLSearchParams(location.search);
const host = connectHost(params, setOpen);
const confirm = byId('confirm', HTMLDialogElement);
const expand = byId('expand', HTMLButtonElement);

let ended = false;
/** Unsent text of a chat that ended under it. */
let kept = '';

const session = loadSession();
setLang(session?.lang ?? (params.get('lang') === 'en' ? 'en' : 'ms'));
setSound(session?.sound ?? false);

const conversation = new Conversation({
  onState: (state, trouble) => {
    if (!ended) view.setState(state, trouble);
  },
  onLoaded: () => {
    // The store tells its watchers in the next microtask; then the list stands.
    setTimeout(() => {
      view.setBusy(false);
      attention.setLoaded(true);
      goOn();
    });
  },
  onTyping: (typing) => {
    if (typing) view.startTyping(250);
    else view.stopTyping();
  },
  onEnded: (reason) => {
    if (!ended) kept = reason === 'ended_by_you' ? '' : conversation.store.unsent().filter(({ picture }) => !picture).map(({ text }) => text).join('\n');
    ended = true;
    menu.close();
    picture.close();
    proof.forget();
    composer.hidden = true;
    view.setState('ended');
    view.setEnded(reason, kept !== '');
    resetTools();
    attention.setLoaded(false);
  },
});

const view = new View({
  choose: (choice) => choose(choice),
  rate: (seq, helpful) => conversation.rate(seq, helpful),
  ratingOf: (seq) => conversation.ratingOf(seq),
  edit: ({ client_id, text }) => {
    conversation.store.drop(client_id);
    composer.text = [composer.text, text].filter(Boolean).join('\n');
    composer.focus();
  },
  dismiss: ({ client_id }) => {
    conversation.store.drop(client_id);
    composer.focus();
  },
  prove: (url) => {
    view.say(null);
    return proof.open(url);
  },
  follow: () => proof.follow(),
});

const proof = new Proof({
  post: (secret) => conversation.prove(secret),
  // What went wrong stands there until something else is done.
  say: (key) => view.say(key, key === 'proof_refused'),
});

const composer = new Composer((text) => {
  attention.asked();
  view.say(null);
  conversation.say(text);
});
const picture = new Picture({
  send: (file) => {
    attention.asked();
    view.say(null);
    conversation.show(file);
  },
  say: (key) => view.say(key, true),
  focus: () => focusInside(),
});
const menu = new Menu();
const health = new Health();
const attention = new Attention(host, () => conversation.store.items());

conversation.store.onChange(() => {
  view.show(conversation.store.items());
  attention.look();
});

/** Goes on with a ticket that an officer opened for this person: its token came behind the address's `#`, once. */
function goOn() {
  const token = /^#(tk\d{11}-[\w-]{43})$/.exec(location.hash)?.[1];
  if (!token || ended) return;
  history.replaceState(null, '', location.pathname + location.search);
  conversation.prove(token).catch(() => view.say('claim_refused', true));
}

/** @param {Choice} choice */
function choose(choice) {
  if (choice.value === 'lang:ms' || choice.value === 'lang:en') switchTo(choice.value === 'lang:en' ? 'en' : 'ms');
  attention.asked();
  view.say(null);
  conversation.choose(choice);
}

/** @param {Lang} lang */
function switchTo(lang) {
  setLang(lang);
  conversation.keep();
  view.relabel(conversation.store.items());
  composer.refresh();
  attention.look();
  void health.look();
  // The button that was pressed may have been drawn anew.
  if (document.activeElement === document.body) focusInside();
}

/** @param {boolean} open */
function setOpen(open) {
  if (!attention.setOpen(open)) return;
  if (open) focusInside();
  else {
    confirm.close();
    picture.close();
    menu.close();
  }
}

/** On a touch screen the keyboard would cover what there is to read. */
function focusInside() {
  if (ended) byId('ended-title', HTMLElement).focus();
  else if (matchMedia('(pointer: coarse)').matches) byId('title', HTMLElement).focus();
  else composer.focus();
}

connectTools({
  items: () => conversation.store.items(),
  keep: () => conversation.keep(),
  say: (key) => view.say(key),
});

byId('lang', HTMLButtonElement).addEventListener('click', () => {
  const lang = currentLang() === 'ms' ? 'en' : 'ms';
  if (ended) switchTo(lang);
  else choose({ value: `lang:${lang}`, label: lang === 'en' ? 'English' : 'Bahasa Melayu' });
});

byId('end', HTMLButtonElement).addEventListener('click', () => confirm.showModal());
byId('confirm-no', HTMLButtonElement).addEventListener('click', () => confirm.close());
byId('confirm-yes', HTMLButtonElement).addEventListener('click', () => {
  confirm.close();
  composer.text = '';
  void conversation.end();
});

byId('restart', HTMLButtonElement).addEventListener('click', () => {
  ended = false;
  view.setEnded(null, false);
  view.setBusy(true);
  composer.hidden = false;
  if (!composer.text) composer.text = kept;
  kept = '';
  void conversation.open();
  focusInside();
});

if (host.embedded) {
  document.documentElement.classList.add('embedded');
  byId('close', HTMLButtonElement).hidden = false;
  expand.hidden = false;
  byId('close', HTMLButtonElement).addEventListener('click', () => host.close());
  expand.addEventListener('click', () => {
    const large = expand.getAttribute('aria-checked') !== 'true';
    expand.setAttribute('aria-checked', String(large));
    host.size(large);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !document.querySelector('dialog[open]') && !event.isComposing) host.close();
  });
}

window.addEventListener('pagehide', forgetDownload);
watchPage(conversation, {
  onLook: () => attention.look(),
  onStale: () => {
    proof.forget();
    composer.text = '';
  },
});

view.relabel([]);
view.setBusy(true);
void conversation.open();
// Saying our size also says that we are here.
host.size(false);
if (!host.embedded) focusInside();
