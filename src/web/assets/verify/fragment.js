// The token in an address's fragment: read once, and at once out of the address bar and the history.

const LONGEST = 512;

/** @returns {string} the token, or an empty text; whether it is any good the server knows */
export function takeFragment() {
  const token = location.hash.slice(1, LONGEST);
  if (location.href.includes('#')) history.replaceState(null, '', location.pathname + location.search);
  return token;
}
