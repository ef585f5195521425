//! Pictures that people send: made harmless, kept sealed for their ticket, handed to officers one by one.

use uuid::Uuid;

use super::desk::Agent;
use super::handoff::Desk;
use super::message::{Content, Incoming, Message, SentPicture};
use super::picture::{MOST_A_DAY, MOST_A_TICKET, PictureEffect, PictureRoom};
use super::{Engine, EngineError};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::identity::limits::{self, DAY, Window};
use crate::knowledge::ask::MAX_CHARS;
use crate::picture::{DecodingError, PictureKind};
use crate::secret::random_token;
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::picture::{self as pictures, NewPicture};
use crate::storage::{Connection, message as transcript, ticket};
use crate::ticket::TicketNumber;

/// Pictures of one chat that are looked at in a day, taken or not.
const TRIES: Window = Window {
    within: DAY,
    most: 20,
};

/// A picture as it came, and what came with it.
#[derive(Clone, Default)]
pub struct RawPicture {
    /// The file. Nothing that is said of it is believed.
    pub bytes: Vec<u8>,
    /// What was written with it.
    pub caption: Option<String>,
    /// The album that it belongs to, by the id of its first message.
    pub album: Option<Uuid>,
}

/// A picture as an officer gets it.
#[derive(Clone)]
pub struct PictureFile {
    /// Its place among the ticket's pictures, from 1.
    pub place: usize,
    /// What it is.
    pub kind: PictureKind,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Engine {
    /// Handles a message that is a picture; the content of `incoming` is put in here.
    pub async fn handle_picture(
        &self,
        id: &str,
        mut incoming: Incoming,
        sent: RawPicture,
    ) -> Result<Vec<Message>, EngineError> {
        if self.has_heard(id, incoming.client_id).await? {
            return self.handle(id, incoming).await;
        }
        let mut answered = false;
        if let Some(album) = sent.album {
            answered = self.has_heard(id, album).await?;
            if !answered {
                incoming.client_id = album;
            }
        }
        self.may_write(id).await?;
        self.count_try(id).await?;
        let picture = self.decoding.reencode(sent.bytes).await;
        let picture = picture.map_err(|error| match error {
            DecodingError::Refused(why) => EngineError::Picture(why),
            DecodingError::Busy => EngineError::Busy,
        })?;
        incoming.content = Content::Picture(SentPicture {
            picture: picture.into(),
            caption: sent.caption.and_then(|caption| written(&caption)),
            answered,
        });
        self.handle(id, incoming).await
    }

    /// Whoever writes too fast is put off before anything is looked at.
    async fn may_write(&self, id: &str) -> Result<(), EngineError> {
        let mut connection = self.store.connection().await?;
        let row = conversation::by_id(&mut connection, id).await?;
        let row = row.ok_or(EngineError::Gone)?;
        self.calmer(row.calm_at, self.clock.now())?;
        Ok(())
    }

    async fn has_heard(&self, id: &str, client_id: Uuid) -> sqlx::Result<bool> {
        let mut connection = self.store.connection().await?;
        let seq = transcript::seq_of(&mut connection, id, &client_id.to_string()).await?;
        Ok(seq.is_some())
    }

    /// Looking at a picture costs more than reading a text: nobody has it done without end.
    async fn count_try(&self, id: &str) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let key = format!("picture {id}");
        let room = limits::take(&mut transaction, &key, &[TRIES], now).await?;
        transaction.commit().await?;
        if room {
            return Ok(());
        }
        metrics::counter!("tanya_limited_total", "limit" => "pictures").increment(1);
        Err(EngineError::TooManyPictures)
    }

    /// Whether a conversation, and the ticket that is open in it, have room for one more picture.
    pub(super) async fn picture_room(
        &self,
        connection: &mut Connection,
        id: &str,
        desk: &Desk,
    ) -> sqlx::Result<PictureRoom> {
        let since = self.clock.now() - DAY;
        let of_chat = pictures::count_since(connection, id, since).await?;
        let of_ticket = match &desk.ticket {
            Some(ticket) => pictures::count_of_ticket(connection, &ticket.number).await?,
            None => 0,
        };
        Ok(PictureRoom {
            chat_full: of_chat >= MOST_A_DAY,
            ticket_full: of_ticket >= MOST_A_TICKET,
        })
    }

    /// Keeps the picture of a turn, in the turn's transaction; what waited belongs to the ticket that was opened.
    pub(super) async fn keep_pictures(
        &self,
        connection: &mut Connection,
        (row, seq): (&ConversationRow, i64),
        effect: Option<&PictureEffect>,
        opened: Option<&TicketNumber>,
    ) -> sqlx::Result<()> {
        match effect {
            Some(PictureEffect::Keep { picture, number }) => {
                let id = random_token();
                let sealed = self.ticket_sealer.seal_bytes(&about(&id), &picture.bytes);
                let kept = NewPicture {
                    conversation_id: row.id.clone(),
                    seq,
                    number: number.clone(),
                    kind: picture.kind.as_str(),
                    size: picture.bytes.len() as i64,
                    sealed: sealed.map_err(|error| sqlx::Error::Encode(error.into()))?,
                    created_at: row.active_at,
                    id,
                };
                pictures::insert(connection, &kept).await?;
                metrics::counter!("tanya_pictures_total").increment(1);
            }
            Some(PictureEffect::Drop) => pictures::delete_waiting(connection, &row.id).await?,
            None => {}
        }
        if let Some(number) = opened {
            pictures::attach(connection, &row.id, number.as_str()).await?;
        }
        Ok(())
    }

    /// A picture of a ticket, for an officer; that they took it is recorded. None if the ticket has no such picture.
    pub async fn picture(
        &self,
        agent: Agent<'_>,
        number: &TicketNumber,
        id: &str,
    ) -> sqlx::Result<Option<PictureFile>> {
        let mut transaction = self.store.begin().await?;
        let Some(row) = ticket::by_number(&mut transaction, number.as_str()).await? else {
            return Ok(None);
        };
        let listed = pictures::of_ticket(&mut transaction, number.as_str()).await?;
        let Some((place, kind)) = (1..)
            .zip(&listed)
            .find(|(_, picture)| picture.id == id)
            .and_then(|(place, picture)| Some((place, PictureKind::parse(&picture.kind)?)))
        else {
            return Ok(None);
        };
        let sealed = pictures::sealed(&mut transaction, number.as_str(), id).await?;
        let bytes =
            sealed.and_then(|sealed| self.ticket_sealer.open_bytes(&about(id), &sealed).ok());
        let outcome = if bytes.is_some() {
            "picture-taken"
        } else {
            "picture-unreadable"
        };
        self.note_picture(
            &mut transaction,
            agent,
            (&row.conversation_id, number),
            outcome,
        )
        .await?;
        transaction.commit().await?;
        Ok(bytes.map(|bytes| PictureFile { place, kind, bytes }))
    }

    async fn note_picture(
        &self,
        connection: &mut Connection,
        agent: Agent<'_>,
        (conversation_id, number): (&str, &TicketNumber),
        outcome: &str,
    ) -> sqlx::Result<()> {
        let now: Millis = self.clock.now();
        let entry = Entry::new(Event::Ticket, outcome)
            .within(conversation_id)
            .about(agent.id)
            .detail(number.as_str());
        self.identity.audit().record(connection, entry, now).await
    }
}

/// What was written with a picture, as far as it can be asked; none if that is nothing.
fn written(caption: &str) -> Option<String> {
    let caption: String = caption.trim().chars().take(MAX_CHARS).collect();
    (!caption.is_empty()).then_some(caption)
}

/// What a seal is about: it opens for its own picture only.
fn about(id: &str) -> String {
    format!("picture {id}")
}
