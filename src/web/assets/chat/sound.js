// A short, soft two-tone for a message that nobody was looking at. Off until somebody wants it; made here, from no file.

/** Pitch in hertz, beginning in seconds. */
const TONES = [[659.26, 0], [880, 0.14]];
const LOUDNESS = 0.07;
const LENGTH_S = 0.4;
/** What comes together rings once. */
const APART_MS = 1_500;
/** A sound that the browser held back longer than this would puzzle more than help. */
const LATE_MS = 1_000;

let on = false;
/** @type {AudioContext | null} */
let context = null;
let rung = 0;

export const canSound = typeof AudioContext === 'function';

export function soundOn() {
  return on;
}

/** @param {boolean} next */
export function setSound(next) {
  on = next && canSound;
  if (on) return;
  void context?.close();
  context = null;
}

/** To be called when the person has touched the page: before that no browser lets it sound. */
export function allowSound() {
  if (on) context ??= new AudioContext();
}

export function ring() {
  const now = Date.now();
  const audio = context;
  if (!audio || now - rung < APART_MS) return;
  rung = now;
  audio.resume().then(() => {
    if (audio === context && Date.now() - now < LATE_MS) play(audio);
  }, () => {});
}

/** @param {AudioContext} audio */
function play(audio) {
  for (const [pitch, after] of TONES) {
    const start = audio.currentTime + after;
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH_S);
    const tone = new OscillatorNode(audio, { type: 'sine', frequency: pitch });
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + LENGTH_S);
  }
}
