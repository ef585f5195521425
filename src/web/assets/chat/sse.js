// Parses text/event-stream as HTML's standard says; knows nothing of chats.

/** @typedef {{ event: string, data: string, id: string | null }} StreamEvent */

export class EventParser {
  #decoder = new TextDecoder();
  #rest = '';
  #event = '';
  /** @type {string[]} */
  #data = [];
  /** @type {string | null} */
  #id = null;

  /**
   * @param {Uint8Array} bytes
   * @returns {StreamEvent[]} the events that these bytes completed
   */
  push(bytes) {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    /** @type {StreamEvent[]} */
    const events = [];
    for (;;) {
      const end = this.#rest.search(/[\r\n]/);
      // A CR that ends the chunk may be half of a CRLF.
      if (end < 0 || (this.#rest[end] === '\r' && end + 1 === this.#rest.length)) return events;
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + (this.#rest.startsWith('\r\n', end) ? 2 : 1));
      const event = this.#line(line);
      if (event) events.push(event);
    }
  }

  /** @param {string} line */
  #line(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#data.push(value);
    if (field === 'id') this.#id = value;
    return null;
  }

  #dispatch() {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id };
    const named = this.#event !== '' || this.#data.length > 0;
    this.#event = '';
    this.#data = [];
    this.#id = null;
    // `typing` and `ended` may come without data; the standard would drop them.
    return named ? event : null;
  }
}
