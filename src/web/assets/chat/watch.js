// What the browser tells of the page around the chat: the line, sleep, a return from its cache, whether somebody looks.

/** @import { Conversation } from './conversation.js' */

/** A clock that jumped this far: the machine slept, and what was open may be dead. */
const SLEPT_MS = 20_000;

/**
 * @param {Conversation} conversation
 * @param {{ onLook: () => void, onStale: () => void }} page `onStale`: the chat was ended by this tab's other page
 */
export function watchPage(conversation, { onLook, onStale }) {
  window.addEventListener('online', () => conversation.online());
  window.addEventListener('offline', () => conversation.offline());
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    if (!conversation.isStale) return conversation.online();
    // Not a word of it is shown again.
    conversation.forget();
    onStale();
    document.body.replaceChildren();
    location.reload();
  });
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
    onLook();
  });
  window.addEventListener('beforeunload', (event) => {
    if (conversation.hasUnsent) event.preventDefault();
  });
}
