//! What is searched for in the queue: a few words, in subjects and names, or in what was said in the chats and noted. What
//! was not looked through is said on the page.

use super::asked::Asked;
use super::view::Searched;
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::clock::Millis;
use crate::storage::Connection;
use crate::storage::ticket::TicketRow;
use crate::storage::ticket_list::{self, COMMON};
use crate::storage::ticket_word;
use crate::ticket::{said_word, words};
use crate::web::WebState;
use crate::web::console::view::Words;

/// Words that are searched for, at most.
const WORDS: usize = 3;

/// Where something is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing was searched for.
    Nowhere,
    /// In the tickets' subjects and names.
    Tickets,
    /// In what people and officers wrote in the chats, and in officers' notes.
    Chats,
}

impl Place {
    fn code(self) -> &'static str {
        match self {
            Self::Nowhere | Self::Tickets => "",
            Self::Chats => "chats",
        }
    }
}

/// A search that somebody asks for.
pub struct Search<'a> {
    pub state: &'a WebState,
    pub who: &'a SignedIn,
    pub asked: &'a Asked,
}

impl Search<'_> {
    /// The tickets that are asked for, the latest change first, and where they were found.
    pub async fn found(
        &self,
        connection: &mut Connection,
        limit: i64,
        now: Millis,
    ) -> sqlx::Result<(Vec<TicketRow>, Place)> {
        let mut filter = self.asked.filter(self.who, now);
        let searched: Vec<String> = words(&self.asked.q).take(WORDS).collect();
        if searched.is_empty() {
            let found = ticket_list::list(connection, &filter, limit).await?;
            return Ok((found, Place::Nowhere));
        }
        let reads = self.who.may(Permission::ViewTranscript);
        let tickets = self.state.engine.tickets();
        if self.asked.place != Place::Chats.code() || !reads {
            let rarest = rarest_first(connection, &searched, |word| tickets.name_word(word));
            (filter.words, filter.common) = rarest.await?;
            let found = ticket_list::list(connection, &filter, limit).await?;
            if !found.is_empty() || !reads || filter.before.is_some() {
                return Ok((found, Place::Tickets));
            }
            filter.words.clear();
        }
        // No subject and no name has these words, or they are not what is asked for.
        let said = searched.iter().map(|word| said_word(tickets.names, word));
        filter.said = said.collect();
        filter.said.sort_unstable();
        filter.said.dedup();
        let found = ticket_list::list(connection, &filter, limit).await?;
        Ok((found, Place::Chats))
    }

    /// The address of the page after this one.
    pub fn older(&self, place: Place, before: &str) -> String {
        self.asked.searched_in(place.code(), before)
    }

    /// What was looked through and what was not, and where else can be looked.
    pub fn told(&self, w: &Words, place: Place) -> Searched {
        let text = match place {
            Place::Nowhere => return Searched::default(),
            Place::Tickets => w.t(
                "Dicari dalam perkara dan nama sahaja.",
                "Searched in subjects and names only.",
            ),
            Place::Chats => w.t(
                "Dicari dalam nota dan dalam mesej pengguna dan pegawai, sepanjang tempoh simpanan mesej.",
                "Searched in notes and in what users and officers wrote, as far back as messages are kept.",
            ),
        };
        let mut text = text.to_owned();
        if words(&self.asked.q).nth(WORDS).is_some() {
            text.push(' ');
            text.push_str(w.t(
                "Hanya tiga perkataan pertama dicari.",
                "Only the first three words are searched for.",
            ));
        }
        if !self.who.may(Permission::ViewTranscript) {
            return Searched {
                text,
                ..Searched::default()
            };
        }
        let (link, other) = match place {
            Place::Nowhere | Place::Tickets => {
                let link = w.t("Cari dalam mesej dan nota", "Search messages and notes");
                (link, Place::Chats)
            }
            Place::Chats => {
                let link = w.t("Cari dalam perkara dan nama", "Search subjects and names");
                (link, Place::Tickets)
            }
        };
        Searched {
            text,
            link: link.to_owned(),
            href: self.asked.searched_in(other.code(), ""),
        }
    }
}

/// The words as they stand in titles and as names have them, the rarest first, and whether even that one is common.
async fn rarest_first(
    connection: &mut Connection,
    searched: &[String],
    name_word: impl Fn(&str) -> String,
) -> sqlx::Result<(Vec<(String, String)>, bool)> {
    let mut counted = Vec::new();
    for word in searched {
        let name = name_word(word);
        let count = ticket_word::count(connection, (word, &name), COMMON).await?;
        counted.push((count, (word.clone(), name)));
    }
    counted.sort();
    let common = counted.first().is_some_and(|(count, _)| *count >= COMMON);
    let words = counted.into_iter().map(|(_, words)| words);
    Ok((words.collect(), common))
}
