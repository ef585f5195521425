// Gives the proof to the chat that opened this window, on our own origin only, and waits for its word.

/** The chat has to ask the server; longer than this and its window is not there. */
const PATIENCE_MS = 15_000;

/**
 * @param {string} secret never shown
 * @param {{ onTaken: () => void, onLost: () => void }} heard a late word still counts
 */
export function handOver(secret, { onTaken, onLost }) {
  /** @type {Window | null} */
  const chat = window.opener;
  if (!chat || chat.closed) return onLost();
  const timer = setTimeout(onLost, PATIENCE_MS);
  /** @param {MessageEvent} event */
  const hear = ({ origin, source, data }) => {
    if (origin !== location.origin || source !== chat || data?.type !== 'tanya:received') return;
    window.removeEventListener('message', hear);
    clearTimeout(timer);
    onTaken();
  };
  window.addEventListener('message', hear);
  chat.postMessage({ type: 'tanya:return', secret }, location.origin);
}
