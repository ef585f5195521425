// What the menu offers: the sound, the conversation as a file, the conversation on paper.

import { byId } from './dom.js';
import { download, forgetDownload } from './download.js';
import { longTime, t } from './i18n.js';
import { allowSound, canSound, ring, setSound, soundOn } from './sound.js';
import { fileName, transcript } from './transcript.js';

/** @import { Item } from './store.js' */
/** @import { Key } from './i18n.js' */

/**
 * @typedef {object} Tools
 * @property {() => Item[]} items
 * @property {() => void} keep the sound was switched; remember it with the chat
 * @property {(key: Key) => void} say tells the person what was done
 */

/** @param {Tools} tools */
export function connectTools({ items, keep, say }) {
  const sound = byId('sound', HTMLButtonElement);
  const print = byId('print', HTMLButtonElement);
  sound.hidden = !canSound;
  print.hidden = typeof window.print !== 'function';
  sound.addEventListener('click', () => {
    setSound(!soundOn());
    allowSound();
    // Heard once, it is known.
    ring();
    showSound();
    keep();
  });
  for (const touch of ['pointerdown', 'keydown']) document.addEventListener(touch, allowSound, { passive: true });
  byId('download', HTMLButtonElement).addEventListener('click', () => {
    const now = new Date();
    download(fileName(now), transcript(items(), now));
    say('downloaded');
  });
  print.addEventListener('click', () => window.print());
  // Also when the browser's own menu prints.
  window.addEventListener('beforeprint', () => {
    byId('print-title', HTMLElement).textContent = t('title');
    byId('print-time', HTMLElement).textContent = t('printed_on', { time: longTime(new Date()) });
  });
  showSound();
}

/** The chat is over: nothing of it stays, not even that it was to be heard. */
export function resetTools() {
  setSound(false);
  showSound();
  forgetDownload();
}

function showSound() {
  byId('sound', HTMLButtonElement).setAttribute('aria-checked', String(soundOn()));
}
