// What this page was opened for, in words, before anything is asked and beside everything that is asked.

import { byId, el } from '../chat/dom.js';
import { isKey, t, timeOf } from './i18n.js';

/** @import { About } from './types.js' */

/** @param {About} about */
function channel({ channel, who }) {
  if (channel === 'telegram') return who ? `Telegram (${who})` : 'Telegram';
  return t('web');
}

/** @param {About} about */
function purpose({ action, period }) {
  const name = isKey(action) ? t(action) : action;
  return period ? `${name}, ${period}` : name;
}

/** @param {About} about */
export function showRequest(about) {
  const facts = [
    [t('from'), channel(about)],
    [t('time'), timeOf(about.asked_at, true)],
    [t('purpose'), purpose(about)],
    [t('until'), timeOf(about.expires_at, false)],
  ];
  byId('facts', HTMLElement).replaceChildren(...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', { dir: 'auto' }, value)]));
  for (const brief of document.querySelectorAll('.brief')) brief.textContent = `${purpose(about)} · ${channel(about)}`;
  byId('confirm-manual', HTMLElement).hidden = about.mode !== 'manual';
}
