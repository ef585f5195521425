//! What a person's words mean while officers are at their matter: whether they are for the ticket or for the bot. Pure,
//! like every decision.

use serde::{Deserialize, Serialize};

use super::handoff::{DeskTicket, OFFICER, TicketEffect};
use super::message::Kind;
use super::turn::Turn;
use crate::knowledge::book::TargetKind;
use crate::knowledge::cues::normal;
use crate::knowledge::router::Outcome;

/// So sure of another question, one does not add it to a ticket.
const CLEARLY_ASKED: f64 = 0.85;

/// Whether further words go to the open ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// The person was not asked yet.
    #[default]
    Unasked,
    /// The person was asked, and a message of theirs waits for the answer.
    Asked,
    /// They go to the ticket.
    Yes,
    /// They go to the bot.
    No,
}

impl Turn<'_> {
    /// Adds what was just said to a ticket; a settled one is open again.
    pub(super) fn add_to(&mut self, ticket: &DeskTicket) {
        let number = ticket.number.clone();
        let values = [("number", number.as_str())];
        if ticket.settled {
            let mut reply = self.say(|m| &m.ticket_reopened, &values);
            let choice = self.choice(&format!("settle:{number}"), |m| &m.ticket_other);
            reply = reply.kind(Kind::Notice).choices(vec![choice]);
            self.replies.push(reply.ticket(&number, "open"));
            self.effects.ticket = Some(TicketEffect::Reopen(number));
        } else {
            let reply = self.say(|m| &m.ticket_added, &values);
            self.replies
                .push(reply.kind(Kind::Notice).ticket(&number, "open"));
            self.effects.ticket = Some(TicketEffect::Add(number));
        }
    }

    /// Where a ticket is open, what a person says may be for it: they are asked once. Tells whether the text was taken.
    pub(super) fn for_ticket(&mut self, text: &str, said: &str) -> bool {
        let Some(ticket) = self.circumstances.desk.ticket.clone() else {
            return false;
        };
        if !self.has_desk() {
            return false;
        }
        let turn = normal(text);
        if !ticket.settled
            && self.knowledge.cues().cancels(&turn)
            && self.state.topic() == Some(OFFICER)
        {
            self.take_back(&ticket.number);
            return true;
        }
        if ticket.settled {
            return self.for_settled(text, &ticket);
        }
        let for_the_bot = || self.is_courtesy(text) || self.clearly_asks(text);
        match self.state.follows() {
            // Whom an officer has asked something is asked anew.
            Follow::No if !ticket.pending => false,
            Follow::No | Follow::Unasked | Follow::Asked if for_the_bot() => false,
            // Who was asked and says more means the ticket.
            Follow::Yes | Follow::Asked => {
                self.state.follow(Follow::Yes);
                self.state.take_waiting();
                self.add_to(&ticket);
                true
            }
            Follow::No | Follow::Unasked => {
                self.state.wait_with(said);
                self.state.follow(Follow::Asked);
                let choices = vec![
                    self.choice("follow", |m| &m.ticket_add),
                    self.choice("ask", |m| &m.ticket_ask),
                ];
                let values = [("number", ticket.number.as_str())];
                let reply = self.say(|m| &m.ticket_for, &values);
                let reply = reply.kind(Kind::Choices).choices(choices);
                self.replies.push(reply.about(OFFICER));
                true
            }
        }
    }

    /// The next word after a ticket was settled opens it again, unless it is thanks or clearly asks something else.
    fn for_settled(&mut self, text: &str, ticket: &DeskTicket) -> bool {
        if self.state.follows() == Follow::No || self.is_courtesy(text) || self.clearly_asks(text) {
            return false;
        }
        self.add_to(ticket);
        true
    }

    fn is_courtesy(&self, text: &str) -> bool {
        let routed = self.knowledge.route(text).ok();
        let best = routed.filter(|routing| routing.outcome == Outcome::Answer);
        let place = best.and_then(|routing| Some(routing.candidates.first()?.entry));
        let entry = place.and_then(|place| self.knowledge.entry(place));
        entry.is_some_and(|entry| TargetKind::of(&entry.id) == TargetKind::SmallTalk)
    }

    fn clearly_asks(&self, text: &str) -> bool {
        let routed = self.knowledge.route(text).ok();
        routed.is_some_and(|routing| {
            routing.outcome == Outcome::Answer && routing.confidence >= CLEARLY_ASKED
        })
    }
}
