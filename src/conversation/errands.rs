//! What is done for a person who is known, asked of the portal as of now. Nothing is written here.

use super::Engine;
use super::action::{EndAll, NewDocument, do_value, end_choice};
use super::message::{Choice, Kind, LinkTo, Reply};
use super::turn::{Decision, entry_choice};
use crate::clock::Millis;
use crate::identity::request::{Action, Request};
use crate::identity::{Identity, Proof};
use crate::knowledge::Knowledge;
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::period::Period;
use crate::knowledge::text::{Language, Localised};
use crate::mail::letters::request_label;
use crate::outbox::Errand;
use crate::portal::{Account, Fault, Payroll, Person, Portal, RegisteredAddress};
use crate::storage::conversation::ConversationRow;

/// How long an errand is worth running, in milliseconds.
const ERRAND: Millis = 10 * 60_000;
/// Documents that are offered to choose from.
const OFFERED: usize = 8;

/// Why something is not done, and the entry that helps instead.
type Instead<'a> = (&'a Localised<String>, Option<&'static str>);

/// Something that is done for a person who is known.
pub(super) struct Errands<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// What is known.
    pub knowledge: &'a Knowledge,
    /// The language of the chat.
    pub language: Language,
    /// Who is known.
    pub proof: &'a Proof,
    /// What they want.
    pub request: &'a Request,
}

impl Errands<'_> {
    fn messages(&self) -> &Messages {
        self.knowledge.messages()
    }

    fn say(&self, sentence: &Localised<String>, values: &[(&str, &str)]) -> Reply {
        let target = format!("action:{}", self.request.action.as_str());
        Reply::text(fill(sentence, self.language, values)).about(&target)
    }

    /// Where the person is known, and the choice to end that.
    pub(super) async fn sessions(
        &self,
        row: &ConversationRow,
        decision: &mut Decision,
    ) -> sqlx::Result<()> {
        let identity = &self.engine.identity;
        let now = self.engine.clock.now();
        let mut connection = self.engine.store.connection().await?;
        let sessions = identity
            .sessions(&mut connection, &self.proof.subject, row, now)
            .await?;
        let values = [
            (
                "bindings",
                (sessions.bindings + usize::from(row.contact.is_some())).to_string(),
            ),
            (
                "web",
                (sessions.web + usize::from(row.contact.is_none())).to_string(),
            ),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let reply = self.say(&self.messages().sessions, &values);
        let choice = end_choice(self.knowledge, self.language);
        let reply = reply.choices(vec![choice]).under(&self.proof.id);
        decision.replies.push(reply);
        Ok(())
    }

    /// Asks the portal about the person as of now, and goes on if nothing changed.
    pub(super) async fn act(
        &self,
        row: &ConversationRow,
        decision: &mut Decision,
    ) -> sqlx::Result<()> {
        let Some(portal) = &self.engine.portal else {
            return Ok(());
        };
        let who = &self.proof.who;
        let person = match portal.person(&who.reference, who.kind).await {
            Ok(Some(person)) if self.is_same(&person) => person,
            Ok(_) => {
                // The person left, or the mailbox is another: nothing that was proved holds any more.
                decision.effects.end_all = Some(EndAll {
                    subject: self.proof.subject.clone(),
                    why: "record-changed",
                    mailed: Some(who.clone()),
                });
                let reply = self.say(&self.messages().person_gone, &[]);
                decision.replies.push(reply.kind(Kind::Notice));
                return Ok(());
            }
            Err(fault) => {
                self.unavailable(decision, fault);
                return Ok(());
            }
        };
        match self.request.action {
            Action::SlipGaji | Action::PenyataTahunan => {
                self.document(portal, &person, decision).await;
            }
            Action::LupaKataLaluan => match self.reset(&person) {
                None => self.send_errand(row, decision).await?,
                Some((why, more)) => self.refuse(why, more, decision),
            },
            Action::Daftar => match self.activate(&person) {
                None => self.send_errand(row, decision).await?,
                Some((why, more)) => self.refuse(why, more, decision),
            },
            Action::Sesi => {}
        }
        Ok(())
    }

    /// Whether the portal still serves the person, at the address that the code went to.
    fn is_same(&self, person: &Person) -> bool {
        let address = person.address.as_ref().map(RegisteredAddress::reveal);
        let identity = &self.engine.identity;
        identity.is_still(&self.proof.who, person.active, address)
    }

    fn unavailable(&self, decision: &mut Decision, fault: Fault) {
        tracing::warn!(fault = fault.as_str(), "the portal could not be asked");
        let reply = self.say(&self.messages().portal_down, &[]);
        let again = Choice {
            value: do_value(self.request),
            label: self.messages().try_again.get(self.language).clone(),
        };
        let mut choices = vec![again];
        choices.extend(entry_choice(
            self.knowledge,
            "action:pegawai",
            self.language,
        ));
        decision
            .replies
            .push(reply.kind(Kind::Notice).choices(choices));
    }

    async fn document(&self, portal: &Portal, person: &Person, decision: &mut Decision) {
        let Some(staff) = person.staff() else {
            let reply = self.say(&self.messages().staff_only, &[]);
            let officer = entry_choice(self.knowledge, "action:pegawai", self.language);
            return decision
                .replies
                .push(reply.choices(officer.into_iter().collect()));
        };
        let periods = match self.request.action {
            Action::PenyataTahunan => portal.statements(&staff).await,
            _ => portal.payslips(&staff).await,
        };
        let periods = match periods {
            Ok(periods) => periods,
            Err(fault) => return self.unavailable(decision, fault),
        };
        match &self.request.period {
            Some(period) if periods.contains(period) => self.give_link(period, decision),
            wanted => self.offer(&periods, wanted.as_deref(), decision),
        }
    }

    fn give_link(&self, period: &str, decision: &mut Decision) {
        let identity = &self.engine.identity;
        let expires_at = identity.link_expires(self.engine.clock.now());
        let minutes = (identity.limits.link / 60_000).to_string();
        let what = request_label(self.knowledge, self.request, self.language);
        let values = [("what", what.as_str()), ("minutes", &minutes)];
        let reply = self.say(&self.messages().link_ready, &values);
        let label = fill(&self.messages().link_button, self.language, &values);
        let id = Identity::new_link_id();
        let to = LinkTo::Document(id.clone());
        decision.effects.document = Some(NewDocument {
            id,
            reply: decision.replies.len(),
            proof: self.proof.clone(),
            action: self.request.action,
            period: period.to_owned(),
        });
        let reply = reply.kind(Kind::Link).link(to, &label, expires_at);
        decision.replies.push(reply.under(&self.proof.id));
    }

    /// Offers the months or years that there are.
    fn offer(&self, periods: &[String], wanted: Option<&str>, decision: &mut Decision) {
        let messages = self.messages();
        let shown = |period: &str| {
            let parsed = Period::parse(period);
            parsed.map_or_else(String::new, |period| period.shown(self.language))
        };
        let (Some(last), Some(first)) = (periods.first(), periods.last()) else {
            let reply = self.say(&messages.no_documents, &[]);
            return decision.replies.push(reply.under(&self.proof.id));
        };
        let what = wanted.map(shown).unwrap_or_default();
        let (first, last) = (shown(first), shown(last));
        let values = [
            ("what", what.as_str()),
            ("first", first.as_str()),
            ("last", last.as_str()),
        ];
        let monthly = self.request.action == Action::SlipGaji;
        let sentence = match (monthly, wanted.is_some()) {
            (true, false) => &messages.choose_month,
            (true, true) => &messages.no_such_month,
            (false, false) => &messages.choose_year,
            (false, true) => &messages.no_such_year,
        };
        let choices = periods.iter().take(OFFERED).map(|period| Choice {
            value: do_value(&Request {
                action: self.request.action,
                period: Some(period.clone()),
            }),
            label: shown(period),
        });
        let reply = self.say(sentence, &values).kind(Kind::Choices);
        let reply = reply.choices(choices.collect()).under(&self.proof.id);
        decision.replies.push(reply);
    }

    /// Why no password is reset, and what helps instead.
    fn reset(&self, person: &Person) -> Option<Instead<'_>> {
        let messages = self.messages();
        match person.account {
            _ if person.address.is_none() => Some((&messages.no_address, None)),
            Account::None => Some((&messages.no_account, Some("action:daftar"))),
            Account::Pending => Some((&messages.account_pending, Some("action:daftar"))),
            Account::Active => None,
        }
    }

    /// Why no account is activated, and what helps instead.
    fn activate(&self, person: &Person) -> Option<Instead<'_>> {
        let messages = self.messages();
        if person.address.is_none() {
            return Some((&messages.no_address, None));
        }
        if person.staff().is_some() && person.payroll == Payroll::None {
            return Some((&messages.not_in_payroll, Some("portal-mystep")));
        }
        match person.account {
            Account::Active => Some((&messages.account_active, Some("action:lupa-kata-laluan"))),
            Account::None | Account::Pending => None,
        }
    }

    fn refuse(&self, sentence: &Localised<String>, more: Option<&str>, decision: &mut Decision) {
        let more = more.and_then(|id| entry_choice(self.knowledge, id, self.language));
        let reply = self.say(sentence, &[]).under(&self.proof.id);
        decision
            .replies
            .push(reply.choices(more.into_iter().collect()));
    }

    async fn send_errand(
        &self,
        row: &ConversationRow,
        decision: &mut Decision,
    ) -> sqlx::Result<()> {
        let Engine {
            identity,
            store,
            clock,
            ..
        } = self.engine;
        let now = clock.now();
        let mut connection = store.connection().await?;
        let limits = &identity.limits;
        if !limits
            .has_errand(&mut connection, &self.proof.subject, now)
            .await?
        {
            let officer = Some("action:pegawai");
            self.refuse(&self.messages().errand_too_many, officer, decision);
            return Ok(());
        }
        let reply = self.say(&self.messages().errand_begun, &[]);
        decision.replies.push(reply.kind(Kind::Notice));
        decision.effects.errand = Some(Errand {
            action: self.request.action.as_str().to_owned(),
            reference: self.proof.who.reference.clone(),
            kind: self.proof.who.kind.as_str().to_owned(),
            subject: self.proof.subject.clone(),
            last4: self.proof.last4.clone(),
            conversation_id: row.id.clone(),
            proof: self.proof.id.clone(),
            expires_at: now + ERRAND,
        });
        Ok(())
    }
}
