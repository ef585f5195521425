// One chat from its start to its end: created or resumed, listened to, written to, ended. The view only hears of it.

import { Problem, createConversation, endConversation, listMessages, openEvents, postMessage, sendFeedback } from './api.js';
import { Nap, backoff } from './backoff.js';
import { currentLang } from './i18n.js';
import { Outbox } from './outbox.js';
import { clearSession, loadSession, saveSession } from './session.js';
import { Store } from './store.js';
import { Stream } from './stream.js';

/** @import { Choice, Credentials } from './types.js' */
/** @import { State } from './view.js' */

/** Nobody types longer than this without a word. */
const TYPING_MS = 8_000;

/**
 * @typedef {object} Watcher
 * @property {(state: State) => void} onState
 * @property {() => void} onLoaded the messages that were there before us are in the store
 * @property {(typing: boolean) => void} onTyping
 * @property {(reason: 'ended_by_server' | 'ended_by_you' | 'ended_unreached') => void} onEnded
 */

export class Conversation {
  store = new Store();
  /** @type {Map<number, boolean>} */
  #ratings = new Map();
  /** @type {Watcher} */
  #watcher;
  /** @type {Credentials | null} */
  #chat = null;
  /** @type {Stream | null} */
  #stream = null;
  #outbox;
  #nap = new Nap();
  #live = false;
  #typingEnd = 0;
  /** Counts chats, so that what belonged to an ended one falls silent. */
  #round = 0;

  /** @param {Watcher} watcher */
  constructor(watcher) {
    this.#watcher = watcher;
    this.#outbox = new Outbox({
      post: (pending) => {
        this.#watcher.onTyping(true);
        const { client_id, text, choice } = pending;
        return postMessage(this.#mine(), choice === undefined ? { client_id, text } : { client_id, choice });
      },
      onSent: (pending, replies) => {
        this.store.setSent(pending.client_id, replies);
        this.store.acceptReplies(replies);
        this.#stream?.wake();
        this.#watcher.onTyping(false);
      },
      onState: (pending, state) => {
        this.store.setState(pending.client_id, state);
        if (state !== 'sending') this.#watcher.onTyping(false);
      },
      onEnded: () => this.#over('ended_by_server'),
    });
  }

  /** Resumes the chat of this tab, or starts one. */
  async open() {
    const round = ++this.#round;
    this.#report();
    const kept = loadSession();
    const done = await this.#persist(round, () => (kept ? this.#resume(kept) : this.#create()));
    if (!done || round !== this.#round) return;
    this.#watcher.onLoaded();
    this.#listen();
    this.#outbox.start();
  }

  /** @param {string} text @param {string} [choice] */
  say(text, choice) {
    this.#outbox.push(this.store.addPending(text, choice));
  }

  /** @param {Choice} choice */
  choose(choice) {
    this.say(choice.label, choice.value);
  }

  /** @param {number} seq */
  ratingOf(seq) {
    return this.#ratings.get(seq);
  }

  /** @param {number} seq @param {boolean} helpful */
  async rate(seq, helpful) {
    const before = this.#ratings.get(seq);
    this.#ratings.set(seq, helpful);
    try {
      await sendFeedback(this.#mine(), seq, helpful);
    } catch (error) {
      if (before === undefined) this.#ratings.delete(seq);
      else this.#ratings.set(seq, before);
      if (error instanceof Problem && error.isEnd) this.#over('ended_by_server');
      throw error;
    }
  }

  /** The language is kept with the chat. */
  keepLang() {
    if (this.#chat) saveSession({ ...this.#chat, lang: currentLang() });
  }

  /** The person ends the chat: here at once, at the server as soon as it can be told. */
  async end() {
    const chat = this.#chat;
    this.#over('ended_by_you');
    const round = this.#round;
    if (!chat) return;
    for (let tries = 0; tries < 4; tries += 1) {
      try {
        await endConversation(chat);
        return;
      } catch (error) {
        if (error instanceof Problem && error.isEnd) return;
        if (tries === 1 && round === this.#round) this.#watcher.onEnded('ended_unreached');
        await new Nap().sleep(backoff(tries + 1));
      }
    }
  }

  get hasUnsent() {
    return !this.#outbox.isEmpty;
  }

  /** The line is said to be back. */
  online() {
    this.#report();
    this.#nap.wake();
    this.#outbox.wake();
    this.#stream?.restart();
  }

  /** The line is said to be gone. */
  offline() {
    this.#report();
  }

  /** Somebody looks at the page again. */
  wake() {
    this.#nap.wake();
    this.#outbox.wake();
    this.#stream?.wake();
  }

  async #create() {
    const { id, token, replies } = await createConversation(currentLang());
    return () => {
      this.#chat = { id, token };
      this.keepLang();
      this.store.acceptReplies(replies);
    };
  }

  /** @param {Credentials} kept */
  async #resume({ id, token }) {
    const { messages } = await listMessages({ id, token }, 0);
    return () => {
      this.#chat = { id, token };
      this.store.acceptInOrder(messages);
    };
  }

  /**
   * Tries until it is done or there is no chat to do it for. What comes too late for its chat has no effect.
   * @param {number} round
   * @param {() => Promise<() => void>} task
   */
  async #persist(round, task) {
    for (let tries = 0; round === this.#round; tries += 1) {
      try {
        const apply = await task();
        if (round !== this.#round) return false;
        apply();
        return true;
      } catch (error) {
        if (round !== this.#round) return false;
        if (error instanceof Problem && error.isEnd) {
          this.#over('ended_by_server');
          return false;
        }
        const wait = error instanceof Problem ? error.retryAfter : null;
        await this.#nap.sleep(Math.max(wait ?? 0, backoff(tries)));
      }
    }
    return false;
  }

  #listen() {
    const chat = this.#mine();
    this.#stream = new Stream({
      open: (signal) => openEvents(chat, this.store.cursor, signal),
      onMessage: (message) => {
        this.store.acceptInOrder([message]);
        if (message.from !== 'user') this.#watcher.onTyping(false);
      },
      onTyping: () => {
        this.#watcher.onTyping(true);
        clearTimeout(this.#typingEnd);
        this.#typingEnd = setTimeout(() => this.#watcher.onTyping(false), TYPING_MS);
      },
      onEnded: () => this.#over('ended_by_server'),
      onLive: (live) => {
        this.#live = live;
        if (live) this.#outbox.wake();
        this.#report();
      },
      onSilence: () => void this.#catchUp(chat),
    });
  }

  /** @param {Credentials} chat */
  async #catchUp(chat) {
    const round = this.#round;
    const list = await listMessages(chat, this.store.cursor).catch(() => null);
    if (list && round === this.#round) this.store.acceptInOrder(list.messages);
  }

  #report() {
    if (!navigator.onLine) this.#watcher.onState('offline');
    else if (this.#live) this.#watcher.onState('live');
    else this.#watcher.onState(this.#stream ? 'reconnecting' : 'connecting');
  }

  /** @param {'ended_by_server' | 'ended_by_you'} reason */
  #over(reason) {
    this.#round += 1;
    this.#stream?.stop();
    this.#stream = null;
    this.#live = false;
    this.#chat = null;
    this.#outbox.clear();
    this.#ratings.clear();
    clearSession();
    this.#watcher.onEnded(reason);
    this.store.clear();
    this.#nap.wake();
  }

  /** @returns {Credentials} */
  #mine() {
    if (!this.#chat) throw new Error('no conversation');
    return this.#chat;
  }
}
