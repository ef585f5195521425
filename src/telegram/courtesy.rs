//! What is told to a person's app at once and may get lost: that an answer is coming, that a press was heard.

use std::sync::Arc;

use teloxide::payloads::AnswerCallbackQuerySetters;
use teloxide::requests::Requester;
use teloxide::types::{CallbackQueryId, ChatAction, ChatId};
use teloxide::{Bot, RequestError};
use tokio::sync::Semaphore;

use super::api::Refusal;
use crate::clock::{Clock, Millis};
use crate::storage::{Store, pace};

/// Courtesies on their way at the same time; more are not shown.
const AT_ONCE: usize = 16;
/// The most characters of a word to who pressed (Bot API, `answerCallbackQuery`).
const WORD: usize = 200;

/// What shows courtesies. None is shown while Telegram asks for a pause.
#[derive(Clone)]
pub struct Courtesy {
    bot: Bot,
    store: Arc<Store>,
    clock: Clock,
    source: String,
    permits: Arc<Semaphore>,
}

impl Courtesy {
    /// For a bot whose pace is counted under `source`.
    pub fn new(bot: Bot, store: Arc<Store>, clock: Clock, source: String) -> Self {
        Self {
            bot,
            store,
            clock,
            source,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Shows that an answer is coming.
    pub fn show_typing(&self, chat: i64) {
        let shown = self.bot.send_chat_action(ChatId(chat), ChatAction::Typing);
        self.show(async move { shown.await.map(|_| ()) });
    }

    /// Tells the person's app that a press was heard, with a word for the person.
    pub fn acknowledge(&self, query: &str, word: Option<&str>) {
        let answer = self
            .bot
            .answer_callback_query(CallbackQueryId(query.to_owned()));
        let answer = match word {
            Some(word) => answer.text(word.chars().take(WORD).collect::<String>()),
            None => answer,
        };
        self.show(async move { answer.await.map(|_| ()) });
    }

    fn show(&self, courtesy: impl Future<Output = Result<(), RequestError>> + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return;
        };
        let this = self.clone();
        tokio::spawn(async move {
            let _permit = permit;
            if this.is_paused().await {
                return;
            }
            if let Err(error) = courtesy.await
                && let Refusal::Slow(wait) = Refusal::from(&error)
            {
                this.pause(wait).await;
            }
        });
    }

    async fn is_paused(&self) -> bool {
        let Ok(mut connection) = self.store.connection().await else {
            return true;
        };
        let until = pace::paused_until(&mut connection, &self.source).await;
        until.is_ok_and(|until| until > self.clock.now())
    }

    async fn pause(&self, wait: std::time::Duration) {
        let wait = Millis::try_from(wait.as_millis()).unwrap_or(pace::LONGEST_PAUSE);
        let until = self.clock.now() + wait.min(pace::LONGEST_PAUSE);
        if let Ok(mut connection) = self.store.connection().await {
            // The next refusal says it again.
            let _ = pace::pause(&mut connection, &self.source, until).await;
        }
    }
}
