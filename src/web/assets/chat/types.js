// The shapes that the server speaks (contracts, section 5); no code.

/** @typedef {'ms' | 'en'} Lang */
/** @typedef {{ value: string, label: string }} Choice */
/** @typedef {{ label: string, url: string }} Link */
/**
 * @typedef {object} Answer
 * @property {string} title
 * @property {string} body
 * @property {string[]} steps
 * @property {string} [note]
 * @property {Link[]} links
 * @property {{ title: string, url?: string }} [source]
 * @property {string} [reviewed] a date, 2026-11-22
 * @property {string} [action]
 */
/** @typedef {{ url: string, label: string, expires_at?: string }} PersonalLink whoever has it may use it, until then */
/**
 * @typedef {object} Message
 * @property {number} seq
 * @property {'user' | 'bot' | 'officer'} from
 * @property {string} [name] of the officer who wrote it
 * @property {string} at RFC 3339, UTC
 * @property {string} [client_id]
 * @property {'text' | 'answer' | 'choices' | 'prompt' | 'link' | 'notice'} kind
 * @property {string} text
 * @property {Answer} [answer]
 * @property {Choice[]} [choices]
 * @property {PersonalLink} [link] with kind prompt or link; left out once it has expired
 * @property {{ number: string, status: string }} [ticket]
 * @property {string} [target]
 */
/** @typedef {{ id: string, token: string }} Credentials */
/** @typedef {'up' | 'down' | 'maintenance' | 'unknown'} Condition */
/** @typedef {{ sistem: Condition, portal: Condition, note?: string, sistem_since?: string, portal_since?: string, announcement?: string }} SystemStatus */

/**
 * Why an own message is not at the server yet. `stalled`: no word of it for long; `sent`: it is there, but our copy of the record has not come.
 * @typedef {'sending' | 'stalled' | 'waiting' | 'busy' | 'slow' | 'sent' | 'expired' | 'too_long' | 'empty' | 'refused' | PictureState} PendingState
 */
/** Why a picture is not taken. @typedef {'picture_too_large' | 'picture_unsupported' | 'picture_damaged' | 'picture_too_many'} PictureState */
/**
 * @typedef {object} Pending
 * @property {string} client_id
 * @property {string} text what the bubble shows
 * @property {string} [choice]
 * @property {File} [picture] what is sent instead of a text
 * @property {string} at
 * @property {PendingState} state
 * @property {number} until when it is tried again, as Date.now() counts; 0 where that is soon
 * @property {number} rank where it stands among the server's messages once it is sent
 */

export {};
