// What survives a reload: the chat's id and token and the language, in this tab only, and gone with the chat.

/** @import { Credentials, Lang } from './types.js' */

const KEY = 'tanya.chat';

/** Where the browser blocks a frame's storage, memory has to do. @type {string | null} */
let memory = null;

/** @returns {string | null} */
function read() {
  try {
    return sessionStorage.getItem(KEY) ?? memory;
  } catch {
    return memory;
  }
}

/** @returns {(Credentials & { lang: Lang }) | null} */
export function loadSession() {
  try {
    const { id, token, lang } = JSON.parse(read() ?? 'null');
    if (typeof id !== 'string' || typeof token !== 'string') return null;
    return { id, token, lang: lang === 'en' ? 'en' : 'ms' };
  } catch {
    return null;
  }
}

/** @param {Credentials & { lang: Lang }} session */
export function saveSession({ id, token, lang }) {
  memory = JSON.stringify({ id, token, lang });
  try {
    sessionStorage.setItem(KEY, memory);
  } catch {
    // Memory it is.
  }
}

export function clearSession() {
  memory = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was stored.
  }
}
