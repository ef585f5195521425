// What survives a reload: the chat's id and token, the language and the sound, in this tab only, and gone with the chat.

/** @import { Credentials, Lang } from './types.js' */

/** @typedef {Credentials & { lang: Lang, sound: boolean }} Session */

const KEY = 'tanya.chat';

/** Where the browser blocks a frame's storage, and only there, memory has to do. @type {string | null} */
let memory = null;

/** @returns {string | null} */
function read() {
  if (memory !== null) return memory;
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @returns {Session | null} */
export function loadSession() {
  try {
    const { id, token, lang, sound } = JSON.parse(read() ?? 'null');
    if (typeof id !== 'string' || typeof token !== 'string') return null;
    return { id, token, lang: lang === 'en' ? 'en' : 'ms', sound: sound === true };
  } catch {
    return null;
  }
}

/** @param {Session} session */
export function saveSession({ id, token, lang, sound }) {
  const text = JSON.stringify({ id, token, lang, sound });
  memory = null;
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    memory = text;
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
