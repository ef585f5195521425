// Single keys, for officers who want them (WCAG 2.1.4: they can be turned off in the account). A key presses the button or
// moves to the field that carries it in `data-key`, so that it can never do more than the page offers.

/** After `g`, the second key has so long. */
const PAIR_MS = 1_500;
let paired = 0;

export function prepareKeys() {
  const dialog = document.getElementById('keys');
  const button = document.getElementById('keys-button');
  if (!(dialog instanceof HTMLDialogElement) || !button || document.body.dataset.keys !== 'on') return;
  button.hidden = false;
  button.addEventListener('click', () => dialog.showModal());
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
    if (press(event.key, dialog)) event.preventDefault();
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('textarea, select, input:not([type="radio"], [type="checkbox"], [type="hidden"])');
}

/**
 * @param {string} key
 * @param {HTMLDialogElement} dialog
 * @returns {boolean} whether it meant something
 */
function press(key, dialog) {
  const second = Date.now() - paired < PAIR_MS;
  paired = 0;
  if (second && key === 'q') {
    location.assign('/console');
    return true;
  }
  switch (key) {
    case '?':
      dialog.showModal();
      return true;
    case 'g':
      paired = Date.now();
      return true;
    case '/':
      return search();
    case 'j':
      return step(1);
    case 'k':
      return step(-1);
    default:
      return /^[a-z]$/.test(key) && act(key);
  }
}

function search() {
  const field = document.querySelector('[data-search]');
  if (!(field instanceof HTMLInputElement)) {
    location.assign('/console');
    return true;
  }
  field.focus();
  field.select();
  return true;
}

/** @param {number} by Enter then opens the link that has the focus, as everywhere. */
function step(by) {
  const links = [...document.querySelectorAll('[data-row] .row-link')];
  if (links.length === 0) return false;
  const at = links.findIndex((link) => link === document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
  const link = /** @type {HTMLElement} */ (links[next]);
  link.focus({ preventScroll: true });
  link.closest('[data-row]')?.scrollIntoView({ block: 'nearest' });
  return true;
}

/** @param {string} key */
function act(key) {
  const target = [...document.querySelectorAll(`[data-key="${key}"]`)].find((element) => element.checkVisibility());
  if (target instanceof HTMLInputElement) {
    target.checked = true;
    target.dispatchEvent(new Event('change', { bubbles: true }));
    document.getElementById('text')?.focus();
    return true;
  }
  if (!(target instanceof HTMLElement)) return false;
  target.click();
  return true;
}
