// The chat page: ties the conversation, the view, the composer and the embedding page together.

import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { byId } from './dom.js';
import { connectHost } from './host.js';
import { currentLang, setLang, t } from './i18n.js';
import { loadSession } from './session.js';
import { View } from './view.js';

/** @import { Lang, Choice } from './types.js' */

const params = new URLSearchParams(location.search);
const host = connectHost(params, setOpen);
const confirm = byId('confirm', HTMLDialogElement);
const expand = byId('expand', HTMLButtonElement);

let open = true;
let ended = false;
/** The newest message that somebody has had before their eyes. */
let seen = 0;
let unread = 0;
/** Unsent text of a chat that ended under it. */
let kept = '';

setLang(loadSession()?.lang ?? (params.get('lang') === 'en' ? 'en' : 'ms'));

const conversation = new Conversation({
  onState: (state) => {
    if (!ended) view.setState(state);
  },
  onLoaded: () => {
    // The store tells its watchers in the next microtask; then the list stands.
    setTimeout(() => {
      view.setBusy(false);
      seen = newest();
    });
  },
  onTyping: (typing) => {
    if (typing) view.startTyping(250);
    else view.stopTyping();
  },
  onEnded: (reason) => {
    if (!ended) kept = reason === 'ended_by_you' ? '' : conversation.store.unsent().map(({ text }) => text).join('\n');
    ended = true;
    composer.hidden = true;
    view.setState('ended');
    view.setEnded(reason, kept !== '');
    seen = 0;
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

const composer = new Composer((text) => conversation.say(text));

conversation.store.onChange(() => {
  view.show(conversation.store.items());
  countUnread();
});

/** @param {Choice} choice */
function choose(choice) {
  if (choice.value === 'lang:ms' || choice.value === 'lang:en') switchTo(choice.value === 'lang:en' ? 'en' : 'ms');
  conversation.choose(choice);
}

/** @param {Lang} lang */
function switchTo(lang) {
  setLang(lang);
  conversation.keepLang();
  view.relabel(conversation.store.items());
  composer.refresh();
  countUnread();
  // The button that was pressed may have been drawn anew.
  if (document.activeElement === document.body) focusInside();
}

function newest() {
  return Math.max(0, ...conversation.store.items().map(({ message }) => message?.seq ?? 0));
}

function isSeen() {
  return host.embedded ? open : document.visibilityState === 'visible';
}

function countUnread() {
  if (isSeen()) seen = newest();
  const count = conversation.store.items().filter(({ message }) => message && message.from !== 'user' && message.seq > seen).length;
  if (!host.embedded) document.title = count ? `(${count}) ${t('title')}` : t('title');
  if (count === unread) return;
  unread = count;
  host.unread(count);
}

/** @param {boolean} now */
function setOpen(now) {
  open = now;
  countUnread();
  if (now) focusInside();
  else confirm.close();
}

/** On a touch screen the keyboard would cover what there is to read. */
function focusInside() {
  if (ended) byId('ended-title', HTMLElement).focus();
  else if (matchMedia('(pointer: coarse)').matches) byId('title', HTMLElement).focus();
  else composer.focus();
}

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
    const large = expand.getAttribute('aria-pressed') !== 'true';
    expand.setAttribute('aria-pressed', String(large));
    expand.firstElementChild?.classList.toggle('icon-collapse', large);
    host.size(large);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !confirm.open && !event.isComposing) host.close();
  });
}

window.addEventListener('online', () => conversation.online());
window.addEventListener('offline', () => conversation.offline());
window.addEventListener('pageshow', (event) => {
  if (event.persisted) conversation.online();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible') return;
  conversation.wake();
  countUnread();
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
