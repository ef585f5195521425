// The one truth about what was said: the server's messages by seq, and our own until the server's copy arrives.

/** @import { Message, Pending, PendingState } from './types.js' */

/** @typedef {{ key: string, message: Message, pending?: undefined } | { key: string, pending: Pending, message?: undefined }} Item */

/** @param {any} value @returns {value is Message} */
function isMessage(value) {
  return Number.isSafeInteger(value?.seq) && typeof value.text === 'string' && ['user', 'bot', 'officer'].includes(value.from);
}

export class Store {
  /** @type {Map<number, Message>} */
  #messages = new Map();
  /** @type {Pending[]} */
  #pending = [];
  #changed = () => {};
  #due = false;

  /**
   * Everything up to here has come in order. Replies to a POST do not move it: they leave out the message
   * they answer, so resuming behind them would lose it.
   */
  cursor = 0;

  /** @param {() => void} changed told once after any number of changes */
  onChange(changed) {
    this.#changed = changed;
  }

  /** @param {Message[]} messages from the list or the stream, which leave nothing out */
  acceptInOrder(messages) {
    for (const message of messages) {
      if (!isMessage(message)) continue;
      this.#put(message);
      this.cursor = Math.max(this.cursor, message.seq);
    }
  }

  /** @param {Message[]} replies to a POST */
  acceptReplies(replies) {
    for (const message of replies) if (isMessage(message)) this.#put(message);
  }

  /** The newest that is here. */
  get newest() {
    return Math.max(0, ...this.#messages.keys());
  }

  /**
   * Everything, as it reads now: what is not among it is gone, unless it came later.
   * @param {Message[]} messages
   * @param {number} known the newest that was here when they were asked for
   */
  replaceAll(messages, known) {
    for (const seq of [...this.#messages.keys()]) if (seq <= known) this.#messages.delete(seq);
    this.acceptInOrder(messages);
    this.#touch();
  }

  /** Nothing that was said stays here; the cursor does, since all of it comes again. */
  hide() {
    this.#messages.clear();
    this.#touch();
  }

  /** Whether anything here may have an end of its own. */
  get isPersonal() {
    return [...this.#messages.values()].some(({ kind, link, ticket }) => kind === 'prompt' || kind === 'link' || link || ticket);
  }

  /** @param {Message} message */
  #put(message) {
    if (this.#messages.has(message.seq)) return;
    this.#messages.set(message.seq, message);
    if (message.from === 'user' && message.client_id) {
      this.#pending = this.#pending.filter(({ client_id }) => client_id !== message.client_id);
    }
    this.#touch();
  }

  /** @param {string} text @param {string} [choice] @param {File} [picture] @returns {Pending} */
  addPending(text, choice, picture) {
    const pending = /** @type {Pending} */ ({
      client_id: uuid(), text, choice, picture, at: new Date().toISOString(), state: 'sending', until: 0, rank: Infinity,
    });
    this.#pending.push(pending);
    this.#touch();
    return pending;
  }

  /** @param {string} client_id @param {PendingState} state @param {number} [until] when it is tried again */
  setState(client_id, state, until = 0) {
    const pending = this.#pending.find((one) => one.client_id === client_id);
    if (!pending || (pending.state === state && pending.until === until)) return;
    pending.state = state;
    pending.until = until;
    this.#touch();
  }

  /**
   * The server has it. Until its copy comes, ours stands before its replies.
   * @param {string} client_id
   * @param {Message[]} replies
   */
  setSent(client_id, replies) {
    const pending = this.#pending.find((one) => one.client_id === client_id);
    if (pending) pending.rank = (replies[0]?.seq ?? this.newest + 1) - 0.5;
    this.setState(client_id, 'sent');
  }

  /** @param {string} client_id */
  drop(client_id) {
    this.#pending = this.#pending.filter((one) => one.client_id !== client_id);
    this.#touch();
  }

  /** @returns {Pending[]} what was still on its way */
  unsent() {
    return this.#pending.filter(({ state }) => ['sending', 'stalled', 'waiting', 'busy', 'slow'].includes(state));
  }

  clear() {
    this.#messages.clear();
    this.#pending = [];
    this.cursor = 0;
    this.#touch();
  }

  /** @returns {Item[]} in the order in which they are read */
  items() {
    /** @type {{ rank: number, item: Item }[]} */
    const ranked = [...this.#messages.values()].map((message) => ({
      rank: message.seq,
      item: { key: message.from === 'user' && message.client_id ? message.client_id : `#${message.seq}`, message },
    }));
    for (const pending of this.#pending) ranked.push({ rank: pending.rank, item: { key: pending.client_id, pending } });
    // Infinity - Infinity is NaN; equal ranks keep the order in which they were written.
    return ranked.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank)).map(({ item }) => item);
  }

  #touch() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#changed();
    });
  }
}

/** Also where the page is not a secure context, and `randomUUID` is missing. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
