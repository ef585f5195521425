// Keeps the page up to date: a stream says only that something changed, and the page is fetched anew. What the stream
// carries is never shown, so that whatever the officer sees was rendered for them.

import { swap } from './swap.js';
import { word } from './words.js';

/** Changes come in bursts; one fetch answers them. */
const GATHER_MS = 250;
/** A page that nobody told of anything is looked at all the same: times go on. */
const IDLE_MS = 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** @type {EventSource | null} */
let source = null;
let tries = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let gathering;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let idle;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let again;
let fetching = false;
let missed = false;
let ended = false;
/** @type {() => void} */
let onSwapped = () => {};

/** @param {{ swapped: () => void }} told */
export function watch({ swapped }) {
  if (!document.body.dataset.live) return;
  onSwapped = swapped;
  connect();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void refresh();
  });
  addEventListener('online', () => {
    tries = 0;
    connect();
  });
  addEventListener('pagehide', () => source?.close());
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    connect();
    void refresh();
  });
}

function connect() {
  clearTimeout(again);
  source?.close();
  if (ended) return;
  const stream = new EventSource(document.body.dataset.live ?? '', { withCredentials: true });
  source = stream;
  stream.addEventListener('open', () => {
    // What happened meanwhile was missed.
    if (tries > 0) void refresh();
    tries = 0;
    say('live', word('live'));
    rest();
  });
  stream.addEventListener('changed', () => {
    clearTimeout(gathering);
    gathering = setTimeout(refresh, GATHER_MS);
  });
  stream.addEventListener('error', () => {
    // The browser's own retry knows no patience.
    stream.close();
    if (ended) return;
    tries += 1;
    if (tries > 1) say('lost', word('lost'));
    again = setTimeout(connect, wait(tries));
  });
}

/**
 * Doubling, less up to a half at random, so that all consoles do not return at once.
 * @param {number} tried from 1
 */
function wait(tried) {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tried - 1, 10));
  return whole * (1 - Math.random() / 2);
}

function rest() {
  clearTimeout(idle);
  idle = setTimeout(refresh, IDLE_MS);
}

async function refresh() {
  clearTimeout(gathering);
  if (ended) return;
  if (fetching) {
    missed = true;
    return;
  }
  fetching = true;
  try {
    const here = document.body.dataset.here || location.pathname + location.search;
    const response = await fetch(here, { credentials: 'same-origin', cache: 'no-store', headers: { accept: 'text/html', 'x-console-refresh': '1' } });
    if (response.status === 401 || response.status === 403 || (response.redirected && new URL(response.url).pathname !== new URL(here, location.href).pathname)) {
      end();
      return;
    }
    if (response.ok) show(await response.text());
  } catch {
    // Offline: the stream will come back, and the page with it.
  } finally {
    fetching = false;
    rest();
  }
  if (missed) {
    missed = false;
    await refresh();
  }
}

/** @param {string} text a whole page */
function show(text) {
  const next = new DOMParser().parseFromString(text, 'text/html');
  // A page in the other language, or another page, would be patchwork.
  if (next.documentElement.lang !== document.documentElement.lang) return;
  if (swap(next)) onSwapped();
}

/** The session is over; what was typed stays to be copied. */
function end() {
  ended = true;
  source?.close();
  clearTimeout(idle);
  clearTimeout(again);
  say('lost', word('ended'));
}

/**
 * @param {string} state
 * @param {string} text
 */
function say(state, text) {
  const line = document.getElementById('live-state');
  if (!line) return;
  line.dataset.state = state;
  if (line.textContent !== text) line.textContent = text;
}
