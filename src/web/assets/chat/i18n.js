// Every word of the page itself, in Malay and English. What the bot says comes from the server.

/** @import { Lang } from './types.js' */

const MS = {
  title: 'Tanya – Perbendaharaan Negeri Kelantan',
  org: 'Perbendaharaan Negeri Kelantan',
  conversation: 'Perbualan',
  messages: 'Mesej',
  you: 'Anda',
  bot: 'Tanya',
  officer: 'Pegawai',
  your_message: 'Mesej anda',
  placeholder: 'Taip soalan anda…',
  hint: 'Jangan taip kata laluan atau nombor kad pengenalan di sini.',
  send: 'Hantar',
  end: 'Tamat',
  close: 'Tutup',
  expand: 'Besarkan',
  newest: 'Mesej baharu',
  typing: 'Tanya sedang menaip…',
  new_window: '(dibuka di tetingkap baharu)',
  choices: 'Pilihan jawapan',
  steps: 'Langkah-langkah',
  source: 'Sumber: ',
  reviewed: 'Disemak {date}',
  helpful: 'Adakah jawapan ini membantu?',
  yes: 'Ya',
  no: 'Tidak',
  thanks: 'Terima kasih atas maklum balas anda.',
  feedback_failed: 'Maklum balas tidak dapat dihantar. Sila cuba lagi.',
  valid_until: 'Sah sehingga {time}',
  link_expired: 'Pautan ini telah luput.',
  ticket: 'Tiket {number}',
  state_connecting: 'Sedang menyambung…',
  state_live: 'Dalam talian',
  state_reconnecting: 'Menyambung semula…',
  state_offline: 'Luar talian',
  state_ended: 'Perbualan tamat',
  banner_reconnecting: 'Sambungan terputus. Sedang menyambung semula…',
  banner_offline: 'Tiada sambungan internet. Mesej anda akan dihantar apabila talian pulih.',
  banner_connecting: 'Pelayan belum dapat dihubungi. Sedang cuba lagi…',
  sending: 'menghantar…',
  waiting: 'akan dihantar apabila talian pulih',
  busy: 'perkhidmatan sibuk – akan dihantar sebentar lagi',
  slow: 'terlalu kerap – akan dihantar sebentar lagi',
  sent: 'dihantar',
  expired: 'Tidak dihantar: pilihan ini sudah tidak sah. Sila pilih semula atau taip soalan anda.',
  too_long: 'Tidak dihantar: mesej terlalu panjang.',
  empty: 'Tidak dihantar: mesej kosong.',
  refused: 'Tidak dihantar: mesej tidak dapat diterima.',
  edit: 'Sunting',
  dismiss: 'Buang',
  left: 'Baki {count} aksara',
  over: 'Melebihi had sebanyak {count} aksara',
  confirm_title: 'Tamatkan perbualan?',
  confirm_text: 'Semua mesej dalam perbualan ini akan dikosongkan daripada halaman ini.',
  confirm_no: 'Kembali',
  confirm_yes: 'Ya, tamatkan',
  ended_title: 'Perbualan telah tamat',
  ended_by_you: 'Terima kasih kerana menggunakan Tanya. Tiada apa-apa disimpan dalam pelayar ini.',
  ended_by_server: 'Perbualan ini telah tamat atau tamat tempoh.',
  ended_unreached: 'Halaman ini telah dikosongkan, tetapi pelayan belum dapat dihubungi. Perbualan di pelayan akan tamat dengan sendirinya.',
  ended_kept: 'Mesej anda yang belum dihantar akan diletakkan semula dalam kotak mesej.',
  restart: 'Mulakan perbualan baharu',
};

/** @typedef {keyof typeof MS} Key */

/** @type {{ [key in Key]: string }} */
const EN = {
  title: 'Tanya – Kelantan State Treasury',
  org: 'Kelantan State Treasury',
  conversation: 'Conversation',
  messages: 'Messages',
  you: 'You',
  bot: 'Tanya',
  officer: 'Officer',
  your_message: 'Your message',
  placeholder: 'Type your question…',
  hint: 'Never type a password or an identity card number here.',
  send: 'Send',
  end: 'End',
  close: 'Close',
  expand: 'Enlarge',
  newest: 'New message',
  typing: 'Tanya is typing…',
  new_window: '(opens in a new window)',
  choices: 'Suggested replies',
  steps: 'Steps',
  source: 'Source: ',
  reviewed: 'Reviewed {date}',
  helpful: 'Was this answer helpful?',
  yes: 'Yes',
  no: 'No',
  thanks: 'Thank you for your feedback.',
  feedback_failed: 'Your feedback could not be sent. Please try again.',
  valid_until: 'Valid until {time}',
  link_expired: 'This link has expired.',
  ticket: 'Ticket {number}',
  state_connecting: 'Connecting…',
  state_live: 'Online',
  state_reconnecting: 'Reconnecting…',
  state_offline: 'Offline',
  state_ended: 'Conversation ended',
  banner_reconnecting: 'Connection lost. Reconnecting…',
  banner_offline: 'No internet connection. Your messages will be sent when it returns.',
  banner_connecting: 'The server cannot be reached yet. Trying again…',
  sending: 'sending…',
  waiting: 'will be sent when the connection returns',
  busy: 'service busy – will be sent shortly',
  slow: 'too many at once – will be sent shortly',
  sent: 'sent',
  expired: 'Not sent: this choice is no longer valid. Please choose again or type your question.',
  too_long: 'Not sent: the message is too long.',
  empty: 'Not sent: the message is empty.',
  refused: 'Not sent: the message could not be accepted.',
  edit: 'Edit',
  dismiss: 'Discard',
  left: '{count} characters left',
  over: '{count} characters over the limit',
  confirm_title: 'End the conversation?',
  confirm_text: 'All messages in this conversation will be cleared from this page.',
  confirm_no: 'Go back',
  confirm_yes: 'Yes, end it',
  ended_title: 'The conversation has ended',
  ended_by_you: 'Thank you for using Tanya. Nothing is kept in this browser.',
  ended_by_server: 'This conversation has ended or expired.',
  ended_unreached: 'This page has been cleared, but the server could not be reached. The conversation there will end by itself.',
  ended_kept: 'Your unsent message will be put back into the message box.',
  restart: 'Start a new conversation',
};

/** @type {Lang} */
let lang = 'ms';

export function currentLang() {
  return lang;
}

/** @param {Lang} next */
export function setLang(next) {
  lang = next;
}

/**
 * @param {Key} key
 * @param {{ [name: string]: string }} [values]
 */
export function t(key, values = {}) {
  return (lang === 'en' ? EN : MS)[key].replace(/\{(\w+)\}/gu, (all, name) => values[name] ?? all);
}

/** @param {string | undefined} key @returns {key is Key} */
function isKey(key) {
  return key !== undefined && key in MS;
}

/** Puts the current language into the static shell. */
export function applyLang() {
  document.documentElement.lang = lang;
  document.title = t('title');
  for (const node of document.querySelectorAll('[data-i18n], [data-i18n-label], [data-i18n-placeholder]')) {
    if (!(node instanceof HTMLElement)) continue;
    const { i18n, i18nLabel, i18nPlaceholder } = node.dataset;
    if (isKey(i18n)) node.textContent = t(i18n);
    if (isKey(i18nLabel)) node.setAttribute('aria-label', t(i18nLabel));
    if (isKey(i18nPlaceholder)) node.setAttribute('placeholder', t(i18nPlaceholder));
  }
}

function locale() {
  return lang === 'en' ? 'en-MY' : 'ms-MY';
}

/** @param {string} at @returns {string} 10:42, with the day if that is not today */
export function timeOf(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const time = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short' }).format(date)}, ${time}`;
}

/** @param {string} day 2026-11-22 @returns {string} 22 Nov 2026 */
export function dayOf(day) {
  const date = new Date(day);
  if (Number.isNaN(date.getTime())) return day;
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(date);
}
