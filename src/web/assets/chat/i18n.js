// Every word of the page itself, in Malay and English. What the bot says comes from the server.

/** @import { Lang } from './types.js' */

const MS = {
  title: 'Tanya – Perbendaharaan Negeri Kelantan',
  org: 'Perbendaharaan Negeri Kelantan',
  conversation: 'Perbualan',
  messages: 'Mesej',
  you: 'Anda',
  bot: 'Tanya',
  claim_refused: 'Pautan tiket itu telah digunakan atau telah luput. Taip nombor tiket kepada pegawai, atau mula soalan baharu.',
  officer: 'Pegawai',
  your_message: 'Mesej anda',
  placeholder: 'Taip soalan anda…',
  hint: 'Jangan taip kata laluan atau nombor kad pengenalan di sini.',
  send: 'Hantar',
  attach: 'Hantar gambar kepada pegawai',
  picture: 'Gambar',
  picture_title: 'Hantar gambar ini kepada pegawai?',
  picture_text: 'Hanya pegawai dapat melihatnya. Pastikan tiada kata laluan kelihatan dalam gambar.',
  picture_no: 'Batal',
  picture_yes: 'Hantar gambar',
  picture_sent: '[gambar dihantar]',
  picture_too_large: 'Gambar tidak dihantar: hanya gambar sehingga 5 MB diterima.',
  picture_unsupported: 'Gambar tidak dihantar: hanya gambar JPEG atau PNG diterima.',
  picture_damaged: 'Gambar tidak dihantar: gambar itu rosak atau tidak lengkap.',
  picture_too_many: 'Gambar tidak dihantar: terlalu banyak gambar. Sila cuba lagi kemudian.',
  end: 'Tamat',
  close: 'Tutup',
  expand: 'Besarkan',
  more: 'Lagi',
  sound: 'Bunyi',
  download: 'Muat turun perbualan',
  print: 'Cetak',
  downloaded: 'Perbualan telah dimuat turun ke peranti ini. Jika peranti ini dikongsi, sila padam fail tersebut selepas digunakan.',
  downloaded_on: 'Dimuat turun pada {time}',
  printed_on: 'Dicetak pada {time}',
  personal_link: '[pautan]',
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
  valid_until: 'Sah hingga {time}',
  valid_once: 'Sah hingga {time}, sekali guna',
  link_expired: 'Pautan telah luput',
  blocked: 'Pelayar ini menyekat tetingkap baharu.',
  blocked_link: 'Buka halaman pengesahan',
  proof_taken: 'Pengesahan telah diterima.',
  proof_refused: 'Pengesahan itu tidak dapat diambil alih oleh sembang ini. Sila ajukan permintaan sekali lagi untuk mendapatkan pautan baharu.',
  ticket: 'Tiket {number}',
  state_connecting: 'Sedang menyambung…',
  state_live: 'Dalam talian',
  state_reconnecting: 'Menyambung semula…',
  state_offline: 'Luar talian',
  state_ended: 'Perbualan tamat',
  health_down: '{name} tidak dapat digunakan buat masa ini (sejak {time}).',
  health_maintenance: '{name} sedang diselenggara (sejak {time}).',
  banner_offline: 'Tiada sambungan internet. Mesej anda selamat di halaman ini dan akan dihantar apabila talian pulih.',
  banner_connecting: 'Pelayan belum dapat dihubungi. Sambungan sedang dicuba semula; mesej anda akan dihantar selepas itu.',
  banner_reconnecting: 'Sambungan ke pelayan terputus dan sedang dipulihkan. Mesej anda akan dihantar selepas itu.',
  banner_down: 'Pelayan tidak dapat dihubungi sejak {time}. Anda tidak perlu berbuat apa-apa: selagi halaman ini dibuka, mesej anda selamat dan akan dihantar sebaik sahaja pelayan pulih.',
  banner_busy: 'Perkhidmatan sedang sibuk atau diselenggara. Sambungan dicuba semula secara automatik; mesej anda selamat di halaman ini.',
  banner_busy_until: 'Perkhidmatan sedang sibuk atau diselenggara; akan dicuba semula dalam {wait}. Mesej anda selamat di halaman ini.',
  banner_crowded: 'Terlalu banyak perbualan baharu dari rangkaian ini; akan dicuba semula dalam {wait}. Anda boleh menaip dahulu; mesej anda akan dihantar selepas itu.',
  banner_slow: 'Permintaan dari rangkaian ini terlalu kerap; akan disambung semula dalam {wait}. Mesej anda selamat di halaman ini.',
  seconds: '{count} saat',
  minutes: '{count} minit',
  sending: 'menghantar…',
  stalled: 'pelayan lambat menjawab – masih dicuba',
  waiting: 'belum dihantar – akan dihantar apabila talian pulih',
  busy: 'belum dihantar: perkhidmatan sibuk – akan dihantar sebentar lagi',
  busy_until: 'belum dihantar: perkhidmatan sibuk – akan dihantar sekitar {time}',
  slow: 'belum dihantar: terlalu kerap – akan dihantar sebentar lagi',
  slow_until: 'belum dihantar: terlalu kerap – akan dihantar sekitar {time}',
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
  ended_by_server: 'Perbualan ini telah ditamatkan atau tamat tempoh, dan halaman ini telah dikosongkan. Jika masih memerlukan bantuan, sila mulakan perbualan baharu.',
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
  claim_refused: 'That ticket link was used or has expired. Tell the officer the ticket number, or ask a new question.',
  officer: 'Officer',
  your_message: 'Your message',
  placeholder: 'Type your question…',
  hint: 'Never type a password or an identity card number here.',
  send: 'Send',
  attach: 'Send a picture to the officers',
  picture: 'Picture',
  picture_title: 'Send this picture to the officers?',
  picture_text: 'Only officers can see it. Make sure that no password can be seen in it.',
  picture_no: 'Cancel',
  picture_yes: 'Send the picture',
  picture_sent: '[picture sent]',
  picture_too_large: 'Picture not sent: only pictures of up to 5 MB are taken.',
  picture_unsupported: 'Picture not sent: only JPEG or PNG pictures are taken.',
  picture_damaged: 'Picture not sent: it is broken or incomplete.',
  picture_too_many: 'Picture not sent: too many pictures. Please try again later.',
  end: 'End',
  close: 'Close',
  expand: 'Enlarge',
  more: 'More',
  sound: 'Sound',
  download: 'Download conversation',
  print: 'Print',
  downloaded: 'The conversation has been downloaded to this device. If others use this device, please delete the file after use.',
  downloaded_on: 'Downloaded on {time}',
  printed_on: 'Printed on {time}',
  personal_link: '[link]',
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
  valid_once: 'Valid until {time}, works once',
  link_expired: 'Link expired',
  blocked: 'This browser blocks new windows.',
  blocked_link: 'Open the verification page',
  proof_taken: 'The verification was received.',
  proof_refused: 'This chat could not take over the verification. Please make your request again to get a new link.',
  ticket: 'Ticket {number}',
  state_connecting: 'Connecting…',
  state_live: 'Online',
  state_reconnecting: 'Reconnecting…',
  state_offline: 'Offline',
  state_ended: 'Conversation ended',
  health_down: '{name} cannot be used at present (since {time}).',
  health_maintenance: '{name} is under maintenance (since {time}).',
  banner_offline: 'No internet connection. Your messages are safe on this page and will be sent when it returns.',
  banner_connecting: 'The server cannot be reached yet. Still trying; your messages will be sent after that.',
  banner_reconnecting: 'The connection to the server was lost and is being restored. Your messages will be sent after that.',
  banner_down: 'The server has been out of reach since {time}. You need not do anything: as long as this page stays open, your messages are safe and will be sent as soon as the server is back.',
  banner_busy: 'The service is busy or under maintenance. Trying again automatically; your messages are safe on this page.',
  banner_busy_until: 'The service is busy or under maintenance; trying again in {wait}. Your messages are safe on this page.',
  banner_crowded: 'Too many new conversations from this network; trying again in {wait}. You may type already; your messages will be sent after that.',
  banner_slow: 'Too many requests from this network; reconnecting in {wait}. Your messages are safe on this page.',
  seconds: '{count} s',
  minutes: '{count} min',
  sending: 'sending…',
  stalled: 'the server is slow to answer – still trying',
  waiting: 'not sent yet – will be sent when the connection returns',
  busy: 'not sent yet: service busy – will be sent shortly',
  busy_until: 'not sent yet: service busy – will be sent around {time}',
  slow: 'not sent yet: too many at once – will be sent shortly',
  slow_until: 'not sent yet: too many at once – will be sent around {time}',
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
  ended_by_server: 'This conversation was ended or has expired, and this page has been cleared. If you still need help, please start a new one.',
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

/** @param {Date} date */
function clock(date) {
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
}

/** @param {string} at @returns {string} 10:42, with the day if that is not today */
export function timeOf(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const time = clock(date);
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short' }).format(date)}, ${time}`;
}

/** @param {string} at @returns {string} 22 Nov 2026, 10:42 */
export function momentOf(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const day = new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', year: 'numeric' }).format(date);
  return `${day}, ${clock(date)}`;
}

/** @param {Date} date @returns {string} 22 November 2026, 10:42 GMT+8 */
export function longTime(date) {
  const day = new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'long', year: 'numeric' }).format(date);
  const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'shortOffset' }).formatToParts(date).find(({ type }) => type === 'timeZoneName');
  return `${day}, ${clock(date)} ${zone?.value ?? ''}`.trim();
}

/** @param {number} ms @returns {string} 12 saat; from two minutes on 3 minit */
export function waitOf(ms) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds < 120 ? t('seconds', { count: String(seconds) }) : t('minutes', { count: String(Math.ceil(seconds / 60)) });
}

/** @param {string} day 2026-11-22 @returns {string} 22 Nov 2026 */
export function dayOf(day) {
  const date = new Date(day);
  if (Number.isNaN(date.getTime())) return day;
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(date);
}
