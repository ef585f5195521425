//! Who the bot is: its id is in its token, its name is asked for; and its menu of commands, told once a start.

use std::time::Duration;

use arc_swap::ArcSwap;
use teloxide::Bot;
use teloxide::payloads::SetMyCommandsSetters;
use teloxide::requests::Requester;
use teloxide::types::{BotCommand, BotCommandScope};
use tokio_util::sync::CancellationToken;

use super::BotName;
use super::api::Refusal;
use super::update::Identity;
use crate::conversation::command::MENU;
use crate::knowledge::Knowledge;
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::text::Language;

const AGAIN: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

/// Who the bot is, as far as it is known.
#[derive(Debug)]
pub struct Whoami {
    identity: ArcSwap<Identity>,
}

impl Whoami {
    /// The bot of a token; its name is not known yet.
    pub fn of_token(token: &str) -> Self {
        let id = token.split(':').next().and_then(|id| id.parse().ok());
        Self {
            identity: ArcSwap::from_pointee(Identity {
                id: id.unwrap_or_default(),
                name: String::new(),
            }),
        }
    }

    /// Who it is; the name is empty until it is known.
    pub fn identity(&self) -> Identity {
        self.identity.load().as_ref().clone()
    }

    /// Asks for the name and tells the commands, until both are done.
    pub async fn introduce(
        &self,
        bot: &Bot,
        knowledge: &LiveKnowledge,
        told: &BotName,
        stop: CancellationToken,
    ) {
        let mut wait = AGAIN;
        loop {
            let introduced = self.try_introduce(bot, &knowledge.current()).await;
            let name = self.identity().name;
            if !name.is_empty() {
                told.set(&name);
            }
            let Err(refusal) = introduced else {
                return;
            };
            if refusal == Refusal::Token {
                tracing::error!(
                    "Telegram does not know the bot's token; check TANYA_TELEGRAM_TOKEN"
                );
            } else {
                let why = refusal.as_str();
                tracing::warn!(why, "Telegram cannot be reached; trying again");
            }
            if tokio::time::timeout(refusal.wait(wait), stop.cancelled())
                .await
                .is_ok()
            {
                return;
            }
            wait = (wait * 2).min(LONGEST);
        }
    }

    async fn try_introduce(&self, bot: &Bot, knowledge: &Knowledge) -> Result<(), Refusal> {
        let refused = |error: teloxide::RequestError| Refusal::from(&error);
        let me = bot.get_me().await.map_err(refused)?;
        let name = me.username().to_owned();
        let id = i64::try_from(me.id.0).unwrap_or_default();
        self.identity
            .store(std::sync::Arc::new(Identity { id, name }));
        for language in [None, Some(Language::Ms), Some(Language::En)] {
            let spoken = language.unwrap_or_default();
            for (scope, commands) in [
                (
                    BotCommandScope::AllPrivateChats,
                    private_menu(knowledge, spoken),
                ),
                (
                    BotCommandScope::AllGroupChats,
                    group_menu(knowledge, spoken),
                ),
            ] {
                let request = bot.set_my_commands(commands).scope(scope);
                let request = match language {
                    Some(language) => request.language_code(language.as_str()),
                    None => request,
                };
                request.await.map_err(refused)?;
            }
        }
        Ok(())
    }
}

fn private_menu(knowledge: &Knowledge, language: Language) -> Vec<BotCommand> {
    let commands = MENU.iter().filter_map(|(name, command)| {
        Some(BotCommand::new(
            *name,
            command.describe(knowledge, language)?,
        ))
    });
    commands.collect()
}

fn group_menu(knowledge: &Knowledge, language: Language) -> Vec<BotCommand> {
    let ask = knowledge.messages().command_ask.get(language);
    vec![BotCommand::new("tanya", ask)]
}
