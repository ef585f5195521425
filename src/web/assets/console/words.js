// The few sentences that scripts say, in the page's language: the layout carries them, so that all wording stays in templates.

const carrier = document.getElementById('words');

/**
 * @param {string} key
 * @returns {string} the sentence; empty on pages that carry none
 */
export function word(key) {
  return carrier?.dataset[key] ?? '';
}
