// Tells of a chat that began to wait: a soft two-tone and, if the officer once allowed it, a notification. Neither says
// who waits or for what.

import { word } from './words.js';

/** Pitch in hertz, beginning in seconds. */
const TONES = [[587.33, 0], [783.99, 0.16]];
const LOUDNESS = 0.07;
const LENGTH_S = 0.45;

/** @type {AudioContext | null} */
let context = null;
/** Numbers that have rung already. @type {Set<string>} */
let known = new Set();

export function prepareAlerts() {
  known = new Set(waiting());
  // Before a touch no browser lets a page sound.
  if (document.body.dataset.sound === 'on') {
    for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => void (context ??= audio()), { once: true });
  }
  prepareAccount();
}

/** To be called after every change of the page. */
export function heed() {
  const now = waiting();
  const fresh = now.filter((number) => !known.has(number));
  known = new Set(now);
  if (fresh.length === 0) return;
  if (document.body.dataset.sound === 'on') ring();
  notify(fresh);
}

/** @returns {string[]} */
function waiting() {
  const list = document.querySelector('[data-waiting]');
  return list instanceof HTMLElement ? (list.dataset.waiting ?? '').split(/\s+/).filter(Boolean) : [];
}

function audio() {
  return typeof AudioContext === 'function' ? new AudioContext() : null;
}

function ring() {
  const sounding = context;
  sounding?.resume().then(() => play(sounding), () => {});
}

/** @param {AudioContext} sounding */
function play(sounding) {
  for (const [pitch, after] of TONES) {
    const start = sounding.currentTime + after;
    const gain = new GainNode(sounding, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH_S);
    const tone = new OscillatorNode(sounding, { type: 'sine', frequency: pitch });
    tone.connect(gain).connect(sounding.destination);
    tone.start(start);
    tone.stop(start + LENGTH_S);
  }
}

/** @param {string[]} numbers */
function notify(numbers) {
  if (!('Notification' in window) || Notification.permission !== 'granted' || !document.hidden) return;
  try {
    const note = new Notification(word('new'), { body: numbers.join(', '), tag: 'tanya-waiting', icon: '/assets/favicon.svg' });
    note.addEventListener('click', () => {
      window.focus();
      note.close();
    });
  } catch {
    // Some phones know notifications from service workers alone.
  }
}

/** The account page: permission is asked for by a press and never otherwise. */
function prepareAccount() {
  const part = document.getElementById('notify');
  const state = document.getElementById('notify-state');
  if (!part || !state) return;
  part.hidden = false;
  const ask = document.getElementById('notify-button');
  if (!('Notification' in window)) ask?.remove();
  else show(Notification.permission);
  ask?.addEventListener('click', async () => show(await Notification.requestPermission()));
  document.getElementById('sound-button')?.addEventListener('click', () => {
    context ??= audio();
    ring();
  });

  /** @param {NotificationPermission} permission */
  function show(permission) {
    if (state && permission !== 'default') state.textContent = word(permission);
    if (ask) ask.hidden = permission === 'granted';
  }
}
