//! Has tickets found by what was said in their chats: the words of people and officers are kept as marks, of chats that
//! have a ticket alone.

use std::collections::HashSet;

use super::Engine;
use super::message::{Message, Sender};
use crate::storage::Connection;
use crate::storage::chat_word::{self, ChatWords, day_of};
use crate::storage::message::{self as transcript, MessageRow, PAGE};
use crate::ticket::{said_word, words};

/// The words of one day: those that are kept, and those that are new.
#[derive(Default)]
struct Day {
    known: HashSet<String>,
    new: ChatWords,
}

impl Engine {
    /// Takes up the words of what was said in a chat since this was done last.
    pub(super) async fn take_up_words(
        &self,
        connection: &mut Connection,
        id: &str,
    ) -> sqlx::Result<()> {
        let kept = chat_word::latest(connection, id).await?.unwrap_or_default();
        let mut seen = kept.seq;
        let mut day = Day::of(&kept);
        loop {
            let messages = transcript::after(connection, id, seen).await?;
            let all = (messages.len() as i64) < PAGE;
            for message in messages {
                seen = message.seq;
                let of = day_of(message.created_at);
                if of != day.new.day {
                    day.keep(connection, id).await?;
                    day.new.day = of;
                }
                self.hear(&mut day, message);
            }
            if all {
                return day.keep(connection, id).await;
            }
        }
    }

    /// Takes up the words of a message, unless the bot wrote it or it is for its person alone.
    fn hear(&self, day: &mut Day, row: MessageRow) {
        let message = Message::from_row(row);
        if message.from == Sender::Bot || message.body.proof.is_some() {
            return;
        }
        day.new.seq = message.seq;
        for word in words(&message.body.text) {
            let word = said_word(self.identity.names(), &word);
            if day.known.insert(word.clone()) {
                day.new.words.push(' ');
                day.new.words.push_str(&word);
            }
        }
    }
}

impl Day {
    fn of(kept: &ChatWords) -> Self {
        Self {
            known: kept.words.split_whitespace().map(str::to_owned).collect(),
            new: ChatWords {
                words: String::new(),
                ..*kept
            },
        }
    }

    /// Writes what is new, and forgets the day.
    async fn keep(&mut self, connection: &mut Connection, id: &str) -> sqlx::Result<()> {
        if !self.new.words.is_empty() {
            chat_word::add(connection, id, &self.new).await?;
        }
        *self = Self::default();
        Ok(())
    }
}
