// Keeps the event stream of one conversation open: notices silence, comes back by itself, resumes where it was.

import { NetworkFailure, Problem } from './api.js';
import { Nap, backoff } from './backoff.js';
import { EventParser } from './sse.js';

/** @import { Message } from './types.js' */

/** The server speaks every 15 s; after this long it is dead. */
const SILENCE_MS = 40_000;
/** After this long the machine may have slept; worth a fresh stream when somebody looks. */
const DOUBT_MS = 20_000;
/** A stream that lived this long was a success, and the next failure starts from the shortest wait. */
const STABLE_MS = 5_000;

/**
 * @typedef {object} StreamOwner
 * @property {(signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>} open resumes behind what the owner has
 * @property {(message: Message) => void} onMessage
 * @property {() => void} onTyping
 * @property {() => void} onEnded
 * @property {() => void} onChanged something that came before reads otherwise now
 * @property {(live: boolean) => void} onLive
 * @property {(error: unknown, wait: number) => void} onTrouble why the last try failed, and milliseconds until the next
 * @property {() => void} onSilence it died without a word; a proxy may be holding events back
 */

export class Stream {
  /** @type {StreamOwner} */
  #owner;
  #nap = new Nap();
  #abort = new AbortController();
  #stopped = false;
  #live = false;
  #heard = 0;
  #tries = 0;
  /** The server asked for a wait, which is kept. */
  #held = false;

  /** @param {StreamOwner} owner */
  constructor(owner) {
    this.#owner = owner;
    void this.#run();
  }

  stop() {
    this.#stopped = true;
    this.#abort.abort();
    this.#nap.wake();
  }

  /** The line is said to be back: what is open may be dead without knowing. */
  restart() {
    this.#tries = 0;
    this.#abort.abort();
    this.#nap.wake();
  }

  /** Somebody looks, or the server has just answered: no reason to wait any longer. */
  wake() {
    this.doubt();
    if (!this.#held) this.#nap.wake();
  }

  /** Something else got no answer: a stream that has been silent for long is not trusted any more. */
  doubt() {
    if (this.#live && Date.now() - this.#heard > DOUBT_MS) this.restart();
  }

  async #run() {
    while (!this.#stopped) {
      const opened = Date.now();
      /** @type {unknown} */
      let failure = null;
      try {
        await this.#attach();
      } catch (error) {
        if (error instanceof Problem && error.isEnd) return this.#end();
        failure = error;
      }
      if (this.#stopped) return;
      this.#setLive(false);
      if (this.#heard > opened && Date.now() - opened > STABLE_MS) this.#tries = 0;
      if (this.#abort.signal.aborted && this.#tries === 0) {
        this.#tries = 1;
        continue;
      }
      const asked = failure instanceof Problem ? failure.retryAfter : null;
      const wait = Math.max(asked ?? 0, backoff(this.#tries++));
      this.#held = failure instanceof Problem && failure.status === 429;
      this.#owner.onTrouble(failure, wait);
      await this.#nap.sleep(wait);
    }
  }

  async #attach() {
    const abort = new AbortController();
    this.#abort = abort;
    let timer = 0;
    const hear = () => {
      this.#heard = Date.now();
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#owner.onSilence();
        abort.abort();
      }, SILENCE_MS);
    };
    try {
      hear();
      const body = await this.#owner.open(abort.signal);
      hear();
      this.#setLive(true);
      const parser = new EventParser();
      const reader = body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#stopped) return;
        hear();
        for (const event of parser.push(value)) this.#handle(event);
      }
    } catch (error) {
      throw error instanceof Problem ? error : new NetworkFailure(String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {import('./sse.js').StreamEvent} event */
  #handle({ event, data }) {
    if (this.#stopped) return;
    if (event === 'typing') this.#owner.onTyping();
    if (event === 'changed') this.#owner.onChanged();
    if (event === 'ended') this.#end();
    if (event !== 'message') return;
    try {
      this.#owner.onMessage(JSON.parse(data));
    } catch {
      // A broken event is worth a fresh stream, not a broken page: the resume brings it again or the list does.
      this.#abort.abort();
    }
  }

  #end() {
    if (this.#stopped) return;
    this.stop();
    this.#owner.onEnded();
  }

  /** @param {boolean} live */
  #setLive(live) {
    if (this.#live === live) return;
    this.#live = live;
    this.#owner.onLive(live);
  }
}
