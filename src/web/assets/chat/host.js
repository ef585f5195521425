// The page that embeds us. Only open, close, size and unread pass, and only between us and the origin that we were told.

/**
 * @typedef {object} Host
 * @property {boolean} embedded
 * @property {() => void} close
 * @property {(large: boolean) => void} size
 * @property {(count: number) => void} unread
 */

/** @param {string | null} value @returns {string | null} the value, if it is exactly a web origin */
function webOrigin(value) {
  try {
    const url = new URL(value ?? '');
    return /^https?:$/.test(url.protocol) && url.origin === value ? value : null;
  } catch {
    return null;
  }
}

/**
 * @param {URLSearchParams} params of our own address
 * @param {(open: boolean) => void} onOpen the host opened or closed the panel
 * @returns {Host}
 */
export function connectHost(params, onOpen) {
  const origin = webOrigin(params.get('origin'));
  if (params.get('embed') !== '1' || window.parent === window || !origin) {
    return { embedded: false, close() {}, size() {}, unread() {} };
  }
  window.addEventListener('message', (event) => {
    if (event.origin !== origin || event.source !== window.parent) return;
    if (event.data?.type === 'tanya:open') onOpen(true);
    if (event.data?.type === 'tanya:close') onOpen(false);
  });
  /** @param {object} message */
  const post = (message) => window.parent.postMessage(message, origin);
  return {
    embedded: true,
    close: () => post({ type: 'tanya:close' }),
    size: (large) => post({ type: 'tanya:size', large }),
    unread: (count) => post({ type: 'tanya:unread', count }),
  };
}
