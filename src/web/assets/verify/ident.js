// The form of an identity card number, as anybody may know it: twelve digits, a date in front. Not whose it is.

/** @import { Key } from './words.js' */

/** @param {string} text @returns {string} as it is sent: full-width signs made plain, blanks dropped, a staff number's hyphens too */
export function normal(text, staff = false) {
  return text.normalize('NFKC').replace(staff ? /[\s\p{Dash}]/gu : /\s/gu, '');
}

/** @param {string} digits YYMMDD @returns {boolean} whether some century has that day */
function isDay(digits) {
  const [year, month, day] = [0, 2, 4].map((at) => Number(digits.slice(at, at + 2)));
  return [1900, 2000].some((century) => {
    const date = new Date(Date.UTC(century + year, month - 1, day));
    return month >= 1 && day >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  });
}

/**
 * @param {string} number normal
 * @param {boolean} staff
 * @returns {{ key: Key, values?: { [name: string]: string } } | null} what is wrong with it
 */
export function wrong(number, staff) {
  if (!number) return { key: 'id_empty' };
  if (!staff) return null;
  if (!/^\d+$/u.test(number)) return { key: 'id_signs' };
  if (number.length !== 12) return { key: 'id_length', values: { count: String(number.length) } };
  return isDay(number) ? null : { key: 'id_date' };
}
