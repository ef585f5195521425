//! What a picture does in a conversation: it goes to the ticket that is open or being prepared, or waits for one. Pure,
//! like every decision: nobody but an officer looks at it.

use std::sync::Arc;

use super::follow::Follow;
use super::handoff::{OFFICER, TicketEffect};
use super::message::{Kind, NoPicture, Reply, SentPicture};
use super::turn::{NO_TEXT, Turn, entry_choice};
use crate::picture::{Picture, PictureRefused};
use crate::redact::{redact, without_numbers};

/// Pictures that one chat sends in a day, at most.
pub const MOST_A_DAY: i64 = 5;
/// Pictures that one ticket has, at most.
pub const MOST_A_TICKET: i64 = 10;

/// Whether there is room for one more picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureRoom {
    /// Whether the chat has sent as many as it may for today.
    pub chat_full: bool,
    /// Whether the open ticket has as many as it may.
    pub ticket_full: bool,
}

/// What becomes of pictures.
#[derive(Clone, Debug)]
pub enum PictureEffect {
    /// One is kept, for a ticket or until one is opened.
    Keep {
        /// The picture.
        picture: Arc<Picture>,
        /// The ticket, if it is open already.
        number: Option<String>,
    },
    /// Those that wait for a ticket are deleted: none will be opened.
    Drop,
}

impl Turn<'_> {
    /// Takes a picture; what stands for it in the transcript.
    pub(super) fn pictured(&mut self, sent: &SentPicture) -> String {
        if !self.has_desk() {
            self.offer_menu(|messages| &messages.unreadable);
            return NO_TEXT.to_owned();
        }
        let heard = self.picture_line(sent);
        if self.has_no_room() {
            let values = [
                ("day", MOST_A_DAY.to_string()),
                ("ticket", MOST_A_TICKET.to_string()),
            ];
            let values = values
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            let reply = self.say(|m| &m.picture_too_many, &values);
            self.replies.push(reply.kind(Kind::Notice).about(OFFICER));
            return heard;
        }
        let before = self.replies.len();
        self.place(sent);
        if sent.answered && sent.caption.is_none() {
            // The first picture of the album was answered for all.
            self.replies.truncate(before);
        }
        heard
    }

    /// Takes a picture while an officer holds the chat: it is for the officer, and the bot says nothing.
    pub(super) fn pictured_held(&mut self, sent: &SentPicture) -> String {
        let ticket = self.circumstances.desk.ticket.as_ref();
        let number = ticket.map(|ticket| ticket.number.clone());
        if self.has_no_room() {
            return self.pictured(sent);
        }
        if let Some(number) = &number {
            self.effects.ticket = Some(TicketEffect::Picture(number.clone()));
        }
        self.keep_picture(sent, number);
        self.picture_line(sent)
    }

    /// Says why a picture was not taken.
    pub(super) fn refuse_picture(&mut self, why: NoPicture) -> String {
        let reply = match why {
            NoPicture::Refused(PictureRefused::TooLarge | PictureRefused::TooManyPixels) => {
                self.say(|m| &m.picture_too_large, &[])
            }
            NoPicture::Refused(PictureRefused::Unsupported) => {
                self.say(|m| &m.picture_unsupported, &[])
            }
            NoPicture::Refused(PictureRefused::Damaged) => self.say(|m| &m.picture_damaged, &[]),
            NoPicture::TooOften | NoPicture::Lost => self.say(|m| &m.picture_lost, &[]),
        };
        self.replies.push(reply.kind(Kind::Notice));
        NO_TEXT.to_owned()
    }

    fn picture_line(&self, sent: &SentPicture) -> String {
        let line = self.word(|m| &m.picture_sent);
        match sent.caption.as_deref() {
            Some(caption) => format!("{line} {}", redact(caption)),
            None => line,
        }
    }

    fn has_no_room(&self) -> bool {
        let desk = self.circumstances.desk;
        let for_open = self.state.handoff().is_none() && desk.ticket.is_some();
        desk.pictures.chat_full || (for_open && desk.pictures.ticket_full)
    }

    fn keep_picture(&mut self, sent: &SentPicture, number: Option<String>) {
        self.effects.picture = Some(PictureEffect::Keep {
            picture: Arc::clone(&sent.picture),
            number,
        });
    }

    /// Finds the ticket that a picture belongs to, and says so.
    fn place(&mut self, sent: &SentPicture) {
        if let Some(handoff) = self.state.handoff().cloned() {
            self.keep_picture(sent, None);
            let reply = self.say(|m| &m.picture_with_ticket, &[]);
            self.replies.push(reply.kind(Kind::Notice).about(OFFICER));
            let said = sent.caption.as_deref();
            if said.and_then(|text| self.handing_off(text)).is_none() {
                self.ask_next(handoff);
            }
            return;
        }
        let ticket = self.circumstances.desk.ticket.clone();
        let meant = |settled: bool| !settled || self.state.follows() != Follow::No;
        let Some(ticket) = ticket.filter(|ticket| meant(ticket.settled)) else {
            return self.offer_ticket(sent);
        };
        self.keep_picture(sent, Some(ticket.number.clone()));
        if ticket.settled {
            return self.add_to(&ticket);
        }
        self.state.follow(Follow::Yes);
        self.state.take_waiting();
        let values = [("number", ticket.number.as_str())];
        let reply = self.say(|m| &m.picture_added, &values);
        let reply = reply.kind(Kind::Notice).about(OFFICER);
        self.replies.push(reply.ticket(&ticket.number, "open"));
        self.effects.ticket = Some(TicketEffect::Picture(ticket.number));
    }

    /// There is no ticket yet: what was written with the picture is answered, and an officer is offered.
    fn offer_ticket(&mut self, sent: &SentPicture) {
        self.keep_picture(sent, None);
        if let Some(caption) = sent.caption.as_deref() {
            self.asked(&without_numbers(caption));
        }
        if self.state.handoff().is_some() {
            // What was written asks for an officer.
            return;
        }
        let officer = entry_choice(self.knowledge, OFFICER, self.language);
        let sentence = self.word(|m| &m.picture_kept);
        let reply = Reply::text(sentence).choices(officer.into_iter().collect());
        self.replies.push(reply.about(OFFICER));
    }
}
