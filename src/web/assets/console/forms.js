// Forms: sent once, asked about when it cannot be undone, counted, and not lost by a slip. All of it is comfort: the
// server decides the same without it.

import { isTouched } from './swap.js';
import { word } from './words.js';

const LIMIT = 4_096;
/** A form whose text is on its way to the server may leave. */
let leaving = false;
/** @type {{ form: HTMLFormElement, submitter: HTMLElement | null } | null} */
let asked = null;

export function prepareForms() {
  document.addEventListener('submit', submit);
  document.addEventListener('input', count);
  document.addEventListener('click', insert);
  document.addEventListener('click', copy);
  document.addEventListener('keydown', sendByKey);
  addEventListener('beforeunload', (event) => {
    if (!leaving && hasUnsaved()) event.preventDefault();
  });
  addEventListener('pageshow', release);
  document.getElementById('confirm')?.addEventListener('close', answered);
  for (const line of document.querySelectorAll('[data-count]')) recount(/** @type {HTMLElement} */ (line));
  for (const button of document.querySelectorAll('[data-copy]')) button.removeAttribute('hidden');
}

/** @param {SubmitEvent} event */
function submit(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.method === 'dialog') return;
  if (form.dataset.sent === 'yes') {
    event.preventDefault();
    return;
  }
  const question = form.dataset.confirm;
  if (question && asked?.form !== form) {
    event.preventDefault();
    ask(form, event.submitter, question);
    return;
  }
  asked = null;
  if (form.method !== 'post' || event.defaultPrevented) return;
  form.dataset.sent = 'yes';
  leaving = !otherUnsaved(form) || form.matches('[data-guard]');
  // Not disabled: a disabled button sends neither its name nor its value.
  for (const button of form.querySelectorAll('button')) button.setAttribute('aria-disabled', 'true');
}

/** Back from the cache, or from a file that was downloaded, a form can be sent again. */
function release() {
  leaving = false;
  for (const form of document.querySelectorAll('form[data-sent]')) form.removeAttribute('data-sent');
  for (const button of document.querySelectorAll('button[aria-disabled]')) button.removeAttribute('aria-disabled');
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 * @param {string} question
 */
function ask(form, submitter, question) {
  const dialog = document.getElementById('confirm');
  const text = document.getElementById('confirm-text');
  const yes = document.getElementById('confirm-yes');
  if (!(dialog instanceof HTMLDialogElement) || !text || !yes) return;
  asked = { form, submitter };
  text.textContent = question;
  const label = submitter?.textContent?.trim();
  if (label) yes.textContent = label;
  yes.classList.toggle('btn-ask-danger', submitter?.classList.contains('btn-danger') ?? false);
  dialog.returnValue = 'no';
  dialog.showModal();
}

function answered() {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('confirm'));
  const last = asked;
  if (dialog.returnValue !== 'yes' || !last) {
    asked = null;
    last?.submitter?.focus();
    return;
  }
  last.form.requestSubmit(last.submitter);
}

function hasUnsaved() {
  return [...document.querySelectorAll('form[data-guard]')].some((form) => hasText(form));
}

/** @param {HTMLFormElement} form */
function otherUnsaved(form) {
  return [...document.querySelectorAll('form[data-guard]')].some((other) => other !== form && hasText(other));
}

/** @param {Element} form */
function hasText(form) {
  const fields = form.querySelectorAll('textarea, input[type="text"]');
  return [...fields].some((field) => isTouched(/** @type {HTMLTextAreaElement} */ (field)));
}

/** @param {Event} event */
function count(event) {
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement)) return;
  const line = document.querySelector(`[data-count="${CSS.escape(field.id)}"]`);
  if (line instanceof HTMLElement) recount(line);
}

/**
 * Says how much room is left, once that is worth saying. Characters are counted as the server counts them.
 * @param {HTMLElement} line
 */
function recount(line) {
  const field = document.getElementById(line.dataset.count ?? '');
  if (!(field instanceof HTMLTextAreaElement)) return;
  line.dataset.rest ??= line.textContent ?? '';
  const left = LIMIT - [...field.value.replace(/\r\n?/g, '\n')].length;
  line.classList.toggle('is-over', left < 0);
  if (left >= LIMIT) line.textContent = line.dataset.rest;
  else line.textContent = `${Math.abs(left).toLocaleString('en')} ${word(left < 0 ? 'over' : 'left')}`;
  field.setCustomValidity(left < 0 ? line.textContent : '');
}

/** @param {MouseEvent} event */
function insert(event) {
  const button = /** @type {Element} */ (event.target).closest('#insert');
  const select = document.getElementById('canned');
  const field = document.getElementById('text');
  if (!button || !(select instanceof HTMLSelectElement) || !(field instanceof HTMLTextAreaElement)) return;
  event.preventDefault();
  const text = select.selectedOptions[0]?.dataset.text ?? '';
  if (text === '') return;
  const before = field.value.slice(0, field.selectionStart);
  const gap = before === '' || /\s$/.test(before) ? '' : '\n';
  field.setRangeText(gap + text, field.selectionStart, field.selectionEnd, 'end');
  select.selectedIndex = 0;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.focus();
}

/** @param {MouseEvent} event */
async function copy(event) {
  const button = /** @type {Element} */ (event.target).closest('[data-copy]');
  const from = document.getElementById(button instanceof HTMLElement ? (button.dataset.copy ?? '') : '');
  if (!button || !from) return;
  const lines = [...from.querySelectorAll('code')].map((code) => code.textContent ?? '');
  const text = from instanceof HTMLTextAreaElement ? from.value : lines.join('\n');
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (from instanceof HTMLTextAreaElement) from.select();
    return;
  }
  const label = button.querySelector('span:last-child');
  if (label) label.textContent = word('copied') || '✓';
}

/** @param {KeyboardEvent} event */
function sendByKey(event) {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement) || !field.form?.matches('#composer')) return;
  const buttons = [...field.form.querySelectorAll('[data-send]')];
  const shown = buttons.find((button) => button.checkVisibility());
  if (!(shown instanceof HTMLButtonElement)) return;
  event.preventDefault();
  field.form.requestSubmit(shown);
}
