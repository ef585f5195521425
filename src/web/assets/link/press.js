// A form that only a person's press can send, once: the token goes into it in that very press, and not before.

import { byId } from '../chat/dom.js';
import { takeFragment } from '../verify/fragment.js';

export function armForm() {
  const form = byId('form', HTMLFormElement);
  const field = byId('token', HTMLInputElement);
  const press = byId('press', HTMLButtonElement);
  let token = '';
  let sent = false;

  const take = () => {
    token = takeFragment();
    sent = false;
    field.value = '';
    press.disabled = token === '';
    byId('missing', HTMLElement).hidden = token !== '';
    byId('sent', HTMLElement).hidden = true;
  };

  press.addEventListener('click', (event) => {
    if (event.isTrusted && !sent) field.value = token;
    else event.preventDefault();
  });
  form.addEventListener('submit', (event) => {
    if (sent || field.value === '') return event.preventDefault();
    sent = true;
    // Only after this turn: a button that is disabled in it sends nothing.
    setTimeout(() => {
      press.disabled = true;
      byId('sent', HTMLElement).hidden = false;
    });
  });
  // Who comes back finds nothing to press again.
  window.addEventListener('pagehide', () => {
    token = '';
    field.value = '';
  });
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) take();
  });
  window.addEventListener('hashchange', () => {
    if (location.hash.length > 1) take();
  });
  take();
}
