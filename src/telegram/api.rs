//! The Bot API through teloxide: what is asked of it, and what its refusals mean for us.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use teloxide::requests::{JsonRequest, Payload};
use teloxide::types::AllowedUpdate;
use teloxide::{ApiError, Bot, RequestError};

use crate::config::TelegramSettings;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long the server holds a question for updates that has no answer yet.
pub const POLL: Duration = Duration::from_secs(25);
/// Updates that are brought to us. Edits and reactions change nothing here, and inline mode is off.
pub const WANTED: [AllowedUpdate; 4] = [
    AllowedUpdate::Message,
    AllowedUpdate::ChannelPost,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::MyChatMember,
];

/// A bot that speaks to the server of the settings, for requests that are answered at once or held for `hold`.
pub fn bot(settings: &TelegramSettings, hold: Duration) -> Result<Bot, reqwest::Error> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(TIMEOUT + hold)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let bot = Bot::with_client(settings.token.reveal(), client);
    Ok(bot.set_api_url(settings.api_url.clone()))
}

/// `getUpdates`, with the updates as they came: they are kept before anybody tries to understand them.
#[derive(Clone, Debug, Serialize)]
pub struct FetchUpdates {
    /// Confirms all updates before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Seconds that the server may wait for something to come.
    pub timeout: u64,
    /// The kinds that are wanted.
    pub allowed_updates: Vec<AllowedUpdate>,
}

impl Payload for FetchUpdates {
    type Output = Vec<Value>;

    const NAME: &'static str = "getUpdates";
}

impl FetchUpdates {
    /// Asks for what was not confirmed yet; `confirmed` is the highest number of what was kept.
    pub fn after(confirmed: Option<i64>) -> Self {
        Self {
            offset: confirmed.map(|number| number.saturating_add(1)),
            timeout: POLL.as_secs(),
            allowed_updates: WANTED.to_vec(),
        }
    }

    /// The request.
    pub fn request(self, bot: &Bot) -> JsonRequest<Self> {
        JsonRequest::new(bot.clone(), self)
    }
}

/// What a refusal of the Bot API means for us. Nothing of what it said is kept: it may hold a person's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is to be asked before this time has passed.
    Slow(Duration),
    /// The person blocked us, is gone, or threw us out.
    Forbidden,
    /// Somebody else fetches this bot's updates.
    Conflict,
    /// A webhook is set: updates are brought, and cannot be fetched.
    Hooked,
    /// The group has another number now.
    Moved(i64),
    /// The token is none.
    Token,
    /// The request is wrong, and will be when it is made again.
    Wrong,
    /// The server cannot be reached, or says that it cannot do anything now.
    Down,
    /// The answer got lost: nobody knows whether it was done.
    Lost,
}

impl From<&RequestError> for Refusal {
    fn from(error: &RequestError) -> Self {
        match error {
            RequestError::RetryAfter(after) => Self::Slow(after.duration()),
            RequestError::MigrateToChatId(chat) => Self::Moved(chat.0),
            RequestError::Network(error) if !error.is_connect() => Self::Lost,
            RequestError::Network(_) | RequestError::Io(_) | RequestError::InvalidJson { .. } => {
                Self::Down
            }
            RequestError::Api(error) => {
                let said = match error {
                    ApiError::Unknown(said) => said.clone(),
                    known => known.to_string(),
                };
                let begins = |with: &str| said.starts_with(with);
                if begins("Forbidden") || begins("Bad Request: chat not found") {
                    Self::Forbidden
                } else if said.contains("while webhook is active") {
                    Self::Hooked
                } else if begins("Conflict") {
                    Self::Conflict
                } else if said == "Invalid bot token" || said == "Unauthorized" {
                    Self::Token
                } else if begins("Bad Request") {
                    Self::Wrong
                } else {
                    Self::Down
                }
            }
        }
    }
}

impl Refusal {
    /// How long to wait before asking again: what Telegram says, or `otherwise`.
    pub fn wait(self, otherwise: Duration) -> Duration {
        match self {
            Self::Slow(wait) => wait.max(otherwise),
            _ => otherwise,
        }
    }

    /// The name as logged and counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slow(_) => "slow",
            Self::Forbidden => "forbidden",
            Self::Conflict => "conflict",
            Self::Hooked => "hooked",
            Self::Moved(_) => "moved",
            Self::Token => "token",
            Self::Wrong => "wrong",
            Self::Down => "down",
            Self::Lost => "lost",
        }
    }
}
