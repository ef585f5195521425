// The chat in a frame; open, close, size, unread pass.
(() => {
const { src, dataset } = document.currentScript || {};
if (!src || window.tanyaWidget) return;
window.tanyaWidget = true;
const { origin } = new URL(src);
const lang = dataset.lang == 'en' ? 'en' : 'ms';
const side = dataset.position == 'left' ? 'left' : 'right';
const say = lang == 'en'
  ? ['Open Tanya, the helpdesk assistant', 'Close Tanya', ' unread']
  : ['Buka Tanya, pembantu meja bantuan', 'Tutup Tanya', ' belum dibaca'];
const small = matchMedia('(max-width:480px),(max-height:480px)');
const css = `:host{all:initial!important}
*{box-sizing:border-box;color:#fff;font:600 16px/20px system-ui,sans-serif}
button{cursor:pointer;border:1px solid #d9b95a;background:#0a4a39}
button:hover{background:#0e5f49}
button:focus-visible{outline:3px solid #fff;outline-offset:-5px;box-shadow:0 0 0 3px #0a4a39}
.go{position:fixed;z-index:2147483000;${side}:20px;bottom:calc(20px + env(safe-area-inset-bottom));display:flex;align-items:center;gap:10px;height:56px;padding:0 19px 0 15px;border-radius:28px;box-shadow:0 6px 20px #0005}
svg{width:26px;height:26px}
b{position:absolute;top:-6px;right:-4px;min-width:24px;padding:0 5px;border-radius:12px;background:#b3261e;border:2px solid #fff;font-size:12px}
b:empty{display:none}
i{position:fixed;clip-path:inset(50%)}
dialog{position:fixed;z-index:2147483001;inset:auto;${side}:20px;bottom:90px;display:block;visibility:hidden;opacity:0;margin:0;padding:0;overflow:hidden;width:408px;height:680px;max-width:calc(100vw - 40px);max-height:calc(100vh - 110px);border:1px solid #8a988f80;border-radius:16px;background:#0a4a39;box-shadow:0 12px 48px #0005}
.large{width:720px;height:960px}
[open]{visibility:visible;opacity:1}
::backdrop{background:none}
iframe{width:100%;height:100%;border:0;color-scheme:light dark}
.x{position:absolute;top:8px;right:8px;width:44px;height:44px}
.ready .x{display:none}
@media ${small.media}{.go{padding:0 14px}span{display:none}dialog,.large{inset:0;width:100%;height:100%;max-width:none;max-height:none;border:0;border-radius:0}}
@media(prefers-reduced-motion:no-preference){dialog{transition:opacity .16s}}
@media print{:host{display:none!important}}`;

const make = (parent, tag, attributes, text = '') => {
  const node = document.createElementNS('http://www.w3.org/' + (/svg|path/.test(tag) ? '2000/svg' : '1999/xhtml'), tag);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  node.textContent = text;
  return parent.appendChild(node);
};

const start = () => {
  const root = make(document.body, 'tanya-widget', { lang }).attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  const go = make(root, 'button', { class: 'go' });
  const icon = make(go, 'svg', { viewBox: '0 0 26 26' });
  make(icon, 'path', { fill: '#fff', d: 'M3 1h20a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H12l-7 5v-5H3a3 3 0 0 1-3-3V4a3 3 0 0 1 3-3Z' });
  make(icon, 'path', { fill: 'none', stroke: '#0a4a39', 'stroke-width': 2.4, d: 'M9.4 8.6a3.7 3.7 0 1 1 5.2 3.4q-1.6.8-1.6 2.6m0 1.6v2.6' });
  make(go, 'span', {}, 'Tanya');
  const badge = make(go, 'b');
  const live = make(root, 'i', { role: 'status' });
  const panel = make(root, 'dialog', { 'aria-label': 'Tanya' });
  const shut = () => panel.close();
  make(panel, 'button', { class: 'x', 'aria-label': say[1] }, '✕').onclick = shut;
  let frame, unread = 0;

  const update = () => {
    const { open } = panel;
    const news = open || !unread ? '' : `, ${unread}${say[2]}`;
    go.setAttribute('aria-expanded', open);
    go.setAttribute('aria-label', say[+open] + news);
    badge.textContent = news && Math.min(unread, 99);
    live.textContent = news && 'Tanya' + news;
    // Ours once it has spoken.
    if (panel.className) frame.contentWindow.postMessage({ type: open ? 'tanya:open' : 'tanya:close' }, origin);
  };
  go.onclick = () => {
    if (panel.open) return shut();
    frame ||= make(panel, 'iframe', { title: 'Tanya', src: `${origin}/chat?embed=1&lang=${lang}&origin=${location.origin}` });
    small.matches ? panel.showModal() : panel.show();
    frame.focus();
    update();
  };
  panel.onclose = () => {
    update();
    go.focus();
  };
  document.addEventListener('keydown', ({ key }) => key == 'Escape' && panel.open && shut());
  addEventListener('message', ({ origin: from, source, data }) => {
    if (from != origin || source != frame?.contentWindow) return;
    const { type, large, count } = data || {};
    if (type == 'tanya:close') shut();
    if (type == 'tanya:size') panel.className = large === true ? 'ready large' : 'ready';
    if (type == 'tanya:unread' && count >>> 0 === count) unread = count;
    update();
  });
  const v = visualViewport;
  v.addEventListener('resize', () => (panel.style.height = panel.matches(':modal') ? v.height * v.scale + 'px' : ''));
  update();
};

document.body ? start() : addEventListener('DOMContentLoaded', start);
})();
