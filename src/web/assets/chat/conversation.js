// One chat from its start to its end: created or resumed, listened to, written to, ended. The view only hears of it.

import { Problem, createConversation, endConversation, listMessages, openEvents, postMessage, postPicture, sendFeedback, sendProof } from './api.js';
import { Nap, backoff } from './backoff.js';
import { currentLang, t } from './i18n.js';
import { Outbox } from './outbox.js';
import { Refresh } from './refresh.js';
import { clearSession, loadSession, saveSession } from './session.js';
import { soundOn } from './sound.js';
import { Store } from './store.js';
import { Stream } from './stream.js';

/** @import { Choice, Credentials } from './types.js' */
/** @import { State } from './view.js' */

/** Nobody types longer than this without a word. */
const TYPING_MS = 8_000;
/** A wait that is worth counting down. */
const COUNTED_MS = 10_000;

/**
 * Why there is no connection: no answer, a server that cannot now, too many new chats or too many calls from here.
 * @typedef {{ cause: 'unreached' | 'busy' | 'crowded' | 'slow', until: number | null }} Trouble `until`: when it is tried again, as Date.now() counts, where the server asked for a wait that is felt
 */

/**
 * @typedef {object} Watcher
 * @property {(state: State, trouble: Trouble | null) => void} onState
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
  /** @type {Refresh | null} */
  #refresh = null;
  #outbox;
  #nap = new Nap();
  #live = false;
  /** @type {Trouble | null} */
  #trouble = null;
  #typingEnd = 0;
  /** Counts chats, so that what belonged to an ended one falls silent. */
  #round = 0;

  /** @param {Watcher} watcher */
  constructor(watcher) {
    this.#watcher = watcher;
    this.#outbox = new Outbox({
      post: (pending) => {
        if (pending.state === 'sending') this.#watcher.onTyping(true);
        const { client_id, text, choice, picture } = pending;
        if (picture) return postPicture(this.#mine(), client_id, picture);
        return postMessage(this.#mine(), choice === undefined ? { client_id, text } : { client_id, choice });
      },
      onSent: (pending, replies) => {
        this.store.setSent(pending.client_id, replies);
        this.store.acceptReplies(replies);
        this.#stream?.wake();
        this.#watcher.onTyping(false);
      },
      onState: (pending, state, until) => {
        this.store.setState(pending.client_id, state, until);
        if (state !== 'sending') this.#watcher.onTyping(false);
        // A line that brings no answer may bring no events either.
        if (state === 'waiting') this.#stream?.doubt();
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

  /** @param {File} picture */
  show(picture) {
    this.#outbox.push(this.store.addPending(t('picture_sent'), undefined, picture));
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

  /** The proof comes back to the chat that asked. @param {string} secret */
  async prove(secret) {
    try {
      await sendProof(this.#mine(), secret);
    } catch (error) {
      if (error instanceof Problem && error.isEnd) this.#over('ended_by_server');
      throw error;
    }
  }

  /** The language and the sound are kept with the chat. */
  keep() {
    if (this.#chat) saveSession({ ...this.#chat, lang: currentLang(), sound: soundOn() });
  }

  /** Whether this tab's chat was ended, or another begun, while this page lay in the browser's cache. */
  get isStale() {
    return this.#chat !== null && this.#chat.id !== loadSession()?.id;
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
    // What the server asked us to wait for is waited for.
    if (this.#trouble?.cause !== 'crowded' && this.#trouble?.cause !== 'slow') this.#nap.wake();
    this.#outbox.wake();
    this.#stream?.wake();
  }

  async #create() {
    const { id, token, replies } = await createConversation(currentLang());
    return () => {
      this.#chat = { id, token };
      this.keep();
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
        this.#trouble = null;
        apply();
        return true;
      } catch (error) {
        if (round !== this.#round) return false;
        if (error instanceof Problem && error.isEnd) {
          this.#over('ended_by_server');
          return false;
        }
        const wait = Math.max((error instanceof Problem ? error.retryAfter : null) ?? 0, backoff(tries));
        this.#suffer(error, wait);
        await this.#nap.sleep(wait);
      }
    }
    return false;
  }

  #listen() {
    const chat = this.#mine();
    const refresh = new Refresh({
      list: (after) => listMessages(chat, after),
      newest: () => this.store.newest,
      onAll: (messages, known) => this.store.replaceAll(messages, known),
      onFailed: () => this.store.hide(),
    });
    this.#refresh = refresh;
    let before = false;
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
      onChanged: () => void refresh.ask(),
      onTrouble: (error, wait) => this.#suffer(error, wait),
      onLive: (live) => {
        this.#live = live;
        this.#trouble = null;
        if (live) this.#outbox.wake();
        // A change has no number, so a stream that resumes does not tell of it.
        if (live && before && this.store.isPersonal) void refresh.ask();
        before = true;
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

  /** @param {unknown} error @param {number} wait milliseconds until the next try */
  #suffer(error, wait) {
    const status = error instanceof Problem ? error.status : 0;
    const until = Date.now() + wait;
    if (status === 429) this.#trouble = { cause: this.#chat || loadSession() ? 'slow' : 'crowded', until };
    else if (status) this.#trouble = { cause: 'busy', until: wait >= COUNTED_MS ? until : null };
    else this.#trouble = { cause: 'unreached', until: null };
    if (!this.#chat) this.#outbox.hold(status === 429 ? 'slow' : status ? 'busy' : 'waiting', wait);
    this.#report();
  }

  #report() {
    const state = !navigator.onLine ? 'offline' : this.#live ? 'live' : this.#stream ? 'reconnecting' : 'connecting';
    this.#watcher.onState(state, this.#trouble);
  }

  /** @param {'ended_by_server' | 'ended_by_you'} reason */
  #over(reason) {
    // Another page of this tab may have begun a new chat meanwhile.
    if (!this.isStale) clearSession();
    // Before the store is empty: what was not sent may be wanted again.
    this.#watcher.onEnded(reason);
    this.forget();
  }

  /** Drops everything here; the tab's own record stays. */
  forget() {
    this.#round += 1;
    this.#stream?.stop();
    this.#stream = null;
    this.#refresh?.stop();
    this.#refresh = null;
    this.#live = false;
    this.#trouble = null;
    this.#chat = null;
    this.#outbox.clear();
    this.#ratings.clear();
    clearTimeout(this.#typingEnd);
    this.store.clear();
    this.#nap.wake();
  }

  /** @returns {Credentials} */
  #mine() {
    if (!this.#chat) throw new Error('no conversation');
    return this.#chat;
  }
}
