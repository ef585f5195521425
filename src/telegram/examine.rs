//! How the bot is, for who looks after it: nothing is changed at Telegram.

use std::time::Duration;

use teloxide::requests::Requester;

use super::api::{self, Refusal};
use crate::config::TelegramSettings;

/// The most of Telegram's words that are shown, in characters.
const SHOWN: usize = 200;

/// How the bot is.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Its name.
    pub name: String,
    /// Where updates are brought; empty if nowhere.
    pub hook: String,
    /// Updates that wait at Telegram.
    pub pending: u32,
    /// Why the last one could not be brought.
    pub last_error: Option<String>,
}

/// Asks Telegram; why it does not answer, as counted elsewhere.
pub async fn examine(settings: &TelegramSettings) -> Result<Examined, &'static str> {
    let bot = api::bot(settings, Duration::ZERO).map_err(|_| "wrong")?;
    let refused = |error: teloxide::RequestError| Refusal::from(&error).as_str();
    let (me, hook) = tokio::join!(bot.get_me(), bot.get_webhook_info());
    let (me, hook) = (me.map_err(refused)?, hook.map_err(refused)?);
    Ok(Examined {
        name: me.username().to_owned(),
        hook: hook.url.map(|url| url.to_string()).unwrap_or_default(),
        pending: hook.pending_update_count,
        last_error: hook
            .last_error_message
            .map(|said| said.chars().take(SHOWN).collect()),
    })
}
