// The shapes that the server speaks to this page (contracts, section 5, Proof); no code.

/** @typedef {'staff' | 'supplier'} Kind */
/** @typedef {'lupa-kata-laluan' | 'daftar' | 'slip-gaji' | 'penyata-tahunan' | 'sesi'} Action */
/**
 * @typedef {object} About
 * @property {'web' | 'telegram'} channel
 * @property {string} [who]
 * @property {string} asked_at RFC 3339
 * @property {string} expires_at RFC 3339
 * @property {'ms' | 'en'} language
 * @property {Action} action
 * @property {string} [period] Oktober 2026
 * @property {'number' | 'code' | 'done'} step
 * @property {'portal' | 'manual'} mode
 * @property {number} [resend_after] seconds, with step code
 * @property {string} [ends_with] the number's last four digits
 */
/** @typedef {{ resend_after?: number, done?: boolean }} Started */
/** @typedef {{ return: string, telegram?: string }} Finished */

export {};
