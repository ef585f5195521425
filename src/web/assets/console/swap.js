// Brings a page up to date from a newer copy of itself. Only elements with `data-swap` and an id change; what somebody
// types, where they are and what they opened stays. Nodes are moved, text is never parsed here.

/**
 * @param {Document} next the same page, newer
 * @returns {boolean} whether anything changed
 */
export function swap(next) {
  const spot = rememberFocus();
  let changed = false;
  for (const old of document.querySelectorAll('[data-swap][id]')) {
    const fresh = next.getElementById(old.id);
    if (!fresh || !document.contains(old) || old.isEqualNode(fresh)) continue;
    // An outer element brings its inner ones along.
    if (old.parentElement?.closest('[data-swap][id]')) continue;
    changed = merge(old, /** @type {Element} */ (document.importNode(fresh, true))) || changed;
  }
  restoreFocus(spot);
  return changed;
}

/**
 * Makes `old` what `fresh` is, as little of it as need be: an element that is the same is left alone, so that a screen
 * reader hears new lines of the conversation and not all of them again.
 * @param {Element} old
 * @param {Element} fresh
 * @returns {boolean} whether anything changed
 */
function merge(old, fresh) {
  if (old.isEqualNode(fresh)) return false;
  if (old.localName !== fresh.localName || !isKeyed(old) || !isKeyed(fresh)) return replace(old, fresh);
  copyAttributes(old, fresh);
  const wanted = new Set([...fresh.children].map((child) => child.id));
  /** @type {Element | null} */
  let at = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const own = document.getElementById(child.id);
    if (own?.parentElement !== old) {
      if (child.localName === 'li' || child.localName === 'tr') child.classList.add('is-new');
      old.insertBefore(child, at);
      continue;
    }
    if (own === at) at = own.nextElementSibling;
    else old.insertBefore(own, at);
    merge(own, child);
  }
  for (const child of [...old.children]) if (!wanted.has(child.id) && !isBusy(child)) child.remove();
  return true;
}

/** @param {Element} element whether it has children and nothing else, each with its own id */
function isKeyed(element) {
  const text = [...element.childNodes].some((node) => node instanceof Text && node.data.trim() !== '');
  const ids = [...element.children].map((child) => child.id);
  return !text && ids.length > 0 && ids.every((id) => id !== '') && new Set(ids).size === ids.length;
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function replace(old, fresh) {
  if (isBusy(old) && old.localName === 'form') return false;
  for (const details of old.querySelectorAll('details[id][open]')) find(fresh, details.id)?.setAttribute('open', '');
  if (old.localName === 'details' && old.hasAttribute('open')) fresh.setAttribute('open', '');
  // A form that somebody is filling in moves over as it is.
  for (const form of old.querySelectorAll('form[id]')) {
    if (isBusy(form)) find(fresh, form.id)?.replaceWith(form);
  }
  const { scrollTop, scrollLeft } = old;
  old.replaceWith(fresh);
  fresh.scrollTo(scrollLeft, scrollTop);
  return true;
}

/**
 * @param {Element} root
 * @param {string} id
 */
function find(root, id) {
  return root.querySelector(`#${CSS.escape(id)}`);
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function copyAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== 'open') old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** @param {Element} element whether a field in it has the focus or something that was not there before */
export function isBusy(element) {
  const fields = [element, ...element.querySelectorAll('input, select, textarea')];
  return fields.some((field) => isField(field) && (field === document.activeElement || isTouched(field)));
}

/**
 * @param {Element} element
 * @returns {element is HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement}
 */
function isField(element) {
  return element.matches('input:not([type="hidden"]), select, textarea');
}

/** @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} field */
export function isTouched(field) {
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    const first = options.some((option) => option.defaultSelected) ? null : options[0];
    return options.some((option) => option.selected !== (option.defaultSelected || option === first));
  }
  if (field instanceof HTMLInputElement && (field.type === 'radio' || field.type === 'checkbox')) {
    return field.checked !== field.defaultChecked;
  }
  return field.value !== field.defaultValue;
}

function rememberFocus() {
  const active = document.activeElement;
  const owner = active?.closest('[id]');
  if (!active || !owner || active === document.body) return null;
  const place = active === owner ? -1 : [...owner.querySelectorAll('a, button, input, select, textarea, summary')].indexOf(active);
  return { active, id: owner.id, place };
}

/** @param {ReturnType<typeof rememberFocus>} spot */
function restoreFocus(spot) {
  if (!spot || document.contains(spot.active)) {
    if (spot && document.activeElement !== spot.active && spot.active instanceof HTMLElement) spot.active.focus({ preventScroll: true });
    return;
  }
  const owner = document.getElementById(spot.id);
  const target = spot.place < 0 ? owner : owner?.querySelectorAll('a, button, input, select, textarea, summary')[spot.place];
  const heading = document.getElementById('main');
  for (const candidate of [target, owner, heading]) {
    if (!(candidate instanceof HTMLElement)) continue;
    candidate.focus({ preventScroll: true });
    if (document.activeElement === candidate) return;
  }
}
