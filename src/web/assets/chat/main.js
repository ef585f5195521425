// The chat page: ties the conversation, the view, the composer and the embedding page together.

import { Attention } from './attention.js';
import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { byId } from './dom.js';
import { forgetDownload } from './download.js';
import { connectHost } from './host.js';
import { currentLang, setLang } from './i18n.js';
import { Menu } from './menu.js';
import { loadSession } from './session.js';
import { setSound } from './sound.js';
import { connectTools, resetTools } from './tools.js';
import { View } from './view.js';

/** @import { Lang, Choice } from './types.js' */

const params = new URLSearchParams(location.search);
const host = connectHost(params, setOpen);
const confirm = byId('confirm', HTMLDialogElement);
const expand = byId('expand', HTMLButtonElement);

/** A clock that jumped this far: the machine slept, and what was open may be dead. */
const SLEPT_MS = 20_000;

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
    });
  },
  onTyping: (typing) => {
    if (typing) view.startTyping(250);
    else view.stopTyping();
  },
  onEnded: (reason) => {
    if (!ended) kept = reason === 'ended_by_you' ? '' : conversation.store.unsent().map(({ text }) => text).join('\n');
    ended = true;
    menu.close();
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
});

const composer = new Composer((text) => {
  attention.asked();
  conversation.say(text);
});
const menu = new Menu();
const attention = new Attention(host, () => conversation.store.items());

conversation.store.onChange(() => {
  view.show(conversation.store.items());
  attention.look();
});

/** @param {Choice} choice */
function choose(choice) {
  if (choice.value === 'lang:ms' || choice.value === 'lang:en') switchTo(choice.value === 'lang:en' ? 'en' : 'ms');
  attention.asked();
  conversation.choose(choice);
}

/** @param {Lang} lang */
function switchTo(lang) {
  setLang(lang);
  conversation.keep();
  view.relabel(conversation.store.items());
  composer.refresh();
  attention.look();
  // The button that was pressed may have been drawn anew.
  if (document.activeElement === document.body) focusInside();
}

/** @param {boolean} open */
function setOpen(open) {
  if (!attention.setOpen(open)) return;
  if (open) focusInside();
  else {
    confirm.close();
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
    if (event.key === 'Escape' && !confirm.open && !event.isComposing) host.close();
  });
}

window.addEventListener('online', () => conversation.online());
window.addEventListener('offline', () => conversation.offline());
window.addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  if (!conversation.isStale) return conversation.online();
  // Ended meanwhile by this tab's other page: not a word of it is shown again.
  conversation.forget();
  composer.text = '';
  document.body.replaceChildren();
  location.reload();
});
window.addEventListener('pagehide', forgetDownload);
// Some browsers tell nobody that the machine slept; the clock does.
let ticked = Date.now();
setInterval(() => {
  const slept = Date.now() - ticked > SLEPT_MS;
  ticked = Date.now();
  if (slept) conversation.wake();
}, SLEPT_MS / 4);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible') return;
  conversation.wake();
  attention.look();
});
window.addEventListener('beforeunload', (event) => {
  if (conversation.hasUnsent) event.preventDefault();
});

view.relabel([]);
view.setBusy(true);
void conversation.open();
// Saying our size also says that we are here.
host.size(false);
if (!host.embedded) focusInside();
