// The three calls of this page. Every failure becomes a Failure with a code that a sentence stands for.

/** @import { About, Finished, Kind, Started } from './types.js' */
/** @import { Key } from './words.js' */

const BASE = '/api/v1/verify';
const TIMEOUT_MS = 20_000;

/** The server refused, or nobody answered: then the status is 0. */
export class Failure extends Error {
  /**
   * @param {number} status
   * @param {string} code stable; `unreached` where nobody answered
   * @param {number} wait seconds that the server asks for
   * @param {number | null} attemptsLeft
   */
  constructor(status, code, wait, attemptsLeft) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
    this.wait = wait;
    this.attemptsLeft = attemptsLeft;
  }

  get isGone() {
    return this.status === 410 || this.status === 404;
  }

  /** The sentence for what is wrong with the service, not with what was typed. @returns {Key} */
  get key() {
    if (this.status === 0) return 'unreached';
    if (this.status === 429) return 'slow';
    return this.status >= 500 ? 'busy' : 'refused';
  }
}

/** @param {Response} response */
async function failure(response) {
  const body = await response.json().catch(() => null);
  const asked = Number(response.headers.get('Retry-After'));
  const wait = Number.isFinite(asked) && asked > 0 ? Math.min(asked, 3600) : 30;
  const left = body?.attempts_left;
  return new Failure(response.status, typeof body?.code === 'string' ? body.code : 'unknown', wait, Number.isSafeInteger(left) ? left : null);
}

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
async function post(path, body) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(BASE + path, {
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal: abort.signal,
    });
    if (!response.ok) throw await failure(response);
    return await response.json();
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(0, 'unreached', 0, null);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} token @returns {Promise<About>} */
export function about(token) {
  return post('/about', { token });
}

/**
 * @param {string} token
 * @param {{ kind: Kind, id_no: string } | null} subject null: the one that the server has already
 * @returns {Promise<Started>}
 */
export function start(token, subject) {
  return post('/start', { token, ...subject });
}

/** @param {string} token @param {string} code @returns {Promise<Finished>} */
export function finish(token, code) {
  return post('/finish', { token, code });
}
