// The HTTP interface, version 1. Turns every failure into a Problem (the server spoke) or a NetworkFailure (it did not).

/** @import { Credentials, Lang, Message, SystemStatus } from './types.js' */

const BASE = '/api/v1/conversations';
const TIMEOUT_MS = 20_000;
/** Five megabytes over a slow line. */
const PICTURE_TIMEOUT_MS = 90_000;

/** The server refused; `code` is stable, `retryAfter` in milliseconds. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {number | null} retryAfter
   */
  constructor(status, code, retryAfter) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** The conversation is over: ended, expired, or never ours. */
  get isEnd() {
    return this.status === 401 || this.status === 404;
  }
}

/** No answer: the line, the server or the time ran out. */
export class NetworkFailure extends Error {}

/** @param {Response} response */
async function problem(response) {
  const wait = response.headers.get('Retry-After');
  let retryAfter = null;
  if (wait) {
    const seconds = Number(wait);
    const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(wait) - Date.now();
    if (Number.isFinite(ms)) retryAfter = Math.min(Math.max(ms, 0), 600_000);
  }
  const body = await response.json().catch(() => null);
  return new Problem(response.status, typeof body?.code === 'string' ? body.code : 'unknown', retryAfter);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ token?: string, body?: unknown, picture?: Blob, keepalive?: boolean }} [options] `keepalive`: the request outlives the page
 * @returns {Promise<any>} the body, or null where there is none
 */
async function call(method, path, { token, body, picture, keepalive = false } = {}) {
  /** @type {{ [name: string]: string }} */
  const headers = { Accept: 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (picture) headers['Content-Type'] = picture.type;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), picture ? PICTURE_TIMEOUT_MS : TIMEOUT_MS);
  try {
    const response = await fetch(BASE + path, {
      method,
      headers,
      body: picture ?? (body === undefined ? undefined : JSON.stringify(body)),
      cache: 'no-store',
      credentials: 'omit',
      keepalive,
      signal: abort.signal,
    });
    if (!response.ok) throw await problem(response);
    return response.status === 204 ? null : await response.json();
  } catch (error) {
    throw error instanceof Problem ? error : new NetworkFailure(String(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Lang} lang
 * @returns {Promise<Credentials & { replies: Message[] }>}
 */
export function createConversation(lang) {
  return call('POST', '', { body: { lang } });
}

/**
 * @param {Credentials} chat
 * @param {{ client_id: string, text: string } | { client_id: string, choice: string }} body
 * @returns {Promise<{ replies: Message[] }>}
 */
export function postMessage({ id, token }, body) {
  return call('POST', `/${encodeURIComponent(id)}/messages`, { token, body, keepalive: true });
}

/**
 * @param {Credentials} chat
 * @param {string} client_id
 * @param {Blob} picture
 * @returns {Promise<{ replies: Message[] }>}
 */
export function postPicture({ id, token }, client_id, picture) {
  return call('POST', `/${encodeURIComponent(id)}/pictures?client_id=${encodeURIComponent(client_id)}`, { token, picture });
}

/**
 * @param {Credentials} chat
 * @param {number} after
 * @returns {Promise<{ messages: Message[] }>}
 */
export function listMessages({ id, token }, after) {
  return call('GET', `/${encodeURIComponent(id)}/messages?after=${after}`, { token });
}

/**
 * @param {Credentials} chat
 * @param {number} seq
 * @param {boolean} helpful
 * @returns {Promise<null>}
 */
export function sendFeedback({ id, token }, seq, helpful) {
  return call('POST', `/${encodeURIComponent(id)}/feedback`, { token, body: { seq, helpful }, keepalive: true });
}

/**
 * The secret that the page which asks for proof gave back.
 * @param {Credentials} chat
 * @param {string} secret
 * @returns {Promise<null>}
 */
export function sendProof({ id, token }, secret) {
  return call('POST', `/${encodeURIComponent(id)}/proof`, { token, body: { return: secret } });
}

/**
 * @param {Credentials} chat
 * @returns {Promise<null>}
 */
export function endConversation({ id, token }) {
  return call('DELETE', `/${encodeURIComponent(id)}`, { token, keepalive: true });
}

/**
 * How the two systems are, and what is announced.
 * @param {Lang} lang
 * @returns {Promise<SystemStatus>}
 */
export async function readStatus(lang) {
  const response = await fetch(`/api/v1/status?lang=${lang}`, {
    headers: { Accept: 'application/json' },
    cache: 'no-store',
    credentials: 'omit',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw await problem(response);
  return response.json();
}

/**
 * Opens the event stream behind `after`. The caller reads, times and closes it.
 * @param {Credentials} chat
 * @param {number} after
 * @param {AbortSignal} signal
 * @returns {Promise<ReadableStream<Uint8Array>>}
 */
export async function openEvents({ id, token }, after, signal) {
  const response = await fetch(`${BASE}/${encodeURIComponent(id)}/events`, {
    headers: { Accept: 'text/event-stream', Authorization: `Bearer ${token}`, 'Last-Event-ID': String(after) },
    cache: 'no-store',
    credentials: 'omit',
    signal,
  });
  if (!response.ok) throw await problem(response);
  if (!response.body) throw new NetworkFailure('no body');
  return response.body;
}
