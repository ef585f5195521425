//! A request for a proof, from the chat that asks to the secret that brings the proof back to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;

use super::number::{IdentityNumber, Kind};
use super::request::Request;
use super::{Asker, AskingNetwork, CLOCKS_DIFFER, Identity, Purpose, Refused, Who, hash};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::outbox::{Content, Letter, To};
use crate::storage::Connection;
use crate::storage::verification::{self, VerificationRow};

/// After which a code may be asked for again, in milliseconds, from the first code on.
const RESEND: [Millis; 3] = [60_000, 120_000, 300_000];

/// What a chat asks.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The id that the request gets, a UUIDv7.
    pub id: &'a str,
    /// The conversation.
    pub conversation_id: &'a str,
    /// Its channel.
    pub channel: &'a str,
    /// The channel's own id of the person, where it has one.
    pub contact: Option<&'a str>,
    /// What for.
    pub request: &'a Request,
    /// The language of the chat.
    pub language: &'a str,
    /// How the channel names the person.
    pub who: Option<&'a str>,
    /// The subject that the chat is bound to.
    pub bound: Option<&'a str>,
}

/// How a request is named.
#[derive(Clone, Copy, Debug)]
pub enum Opened<'a> {
    /// By the token in its link.
    Token(&'a str),
    /// By its id, in the conversation that asked.
    Id(&'a str),
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A number is to be given.
    Number,
    /// A code is to be given.
    Code,
}

/// What a page may say of a request before it takes anything.
#[derive(Clone, Debug)]
pub struct About {
    /// The request's id.
    pub id: String,
    /// The channel that asked.
    pub channel: String,
    /// How it names the person.
    pub who: Option<String>,
    /// When, in Unix milliseconds.
    pub asked_at: Millis,
    /// When the link dies.
    pub expires_at: Millis,
    /// The language of the chat.
    pub language: String,
    /// What for.
    pub request: Request,
    /// How far it is.
    pub step: Step,
    /// In how many milliseconds a code can be asked for again.
    pub resend_after: Option<Millis>,
    /// The last four characters of the number that was given.
    pub last4: Option<String>,
}

/// A code was issued, or would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// In how many milliseconds it can be asked for again.
    pub resend_after: Millis,
    /// Whether one goes out; told only where the person is known.
    pub issued: bool,
}

impl Identity {
    /// Writes down that a chat asks for a proof.
    pub async fn ask(
        &self,
        connection: &mut Connection,
        asked: &Asked<'_>,
        now: Millis,
    ) -> sqlx::Result<()> {
        let id = asked.id.to_owned();
        let chat = self.chat(asked.channel, asked.contact, asked.conversation_id);
        let who = asked.who.and_then(|who| self.seal(&id, &who));
        let row = VerificationRow {
            id: id.clone(),
            conversation_id: asked.conversation_id.to_owned(),
            channel: asked.channel.to_owned(),
            chat,
            request: asked.request.to_json(),
            language: asked.language.to_owned(),
            who,
            bound: asked.bound.map(str::to_owned),
            created_at: now,
            expires_at: now + self.limits.code,
            ..VerificationRow::default()
        };
        let token = self.token(Purpose::Verify, &id);
        verification::insert(connection, &row, &hash(&token)).await?;
        let entry = Entry::new(Event::VerifyAsked, "asked")
            .within(asked.conversation_id)
            .detail(asked.request.action.as_str());
        // Anybody can ask: nobody may fill the record with it.
        self.record_refusal(connection, entry, now).await
    }

    /// The address of a request's page, for the conversation that asked only.
    pub async fn verify_url(&self, connection: &mut Connection, id: &str) -> sqlx::Result<String> {
        let mut tokens = self.tokens(Purpose::Verify, id);
        let mut token = tokens.next().unwrap_or_default();
        // One that was made before the last rotation of the secret lives on as it is.
        for old in tokens {
            if verification::by_token(connection, &hash(&old))
                .await?
                .is_some()
            {
                token = old;
            }
        }
        Ok(format!("{}/verify#{token}", self.public_url))
    }

    pub(super) async fn opened(
        &self,
        connection: &mut Connection,
        opened: Opened<'_>,
    ) -> Result<VerificationRow, Refused> {
        let row = match opened {
            Opened::Token(token) => verification::by_token(connection, &hash(token)).await?,
            Opened::Id(id) => verification::by_id(connection, id).await?,
        };
        let row = row.filter(|row| row.finished_at.is_none() && row.closed_at.is_none());
        row.ok_or(Refused::Gone)
    }

    /// Whether a code may still be asked for.
    pub(super) fn can_start(&self, row: &VerificationRow, now: Millis) -> bool {
        now < row.expires_at && row.created_at <= now + CLOCKS_DIFFER
    }

    /// Whether a code that was issued can still be given.
    pub(super) fn has_code(&self, row: &VerificationRow, now: Millis) -> bool {
        row.code_at
            .is_some_and(|at| now < at + self.limits.code && at <= now + CLOCKS_DIFFER)
    }

    /// Whether there is such a request, before anything is held for it: anybody may come with a token.
    pub(super) async fn is_known(&self, opened: Opened<'_>) -> Result<(), Refused> {
        let mut connection = self.store.connection().await?;
        self.opened(&mut connection, opened).await.map(|_| ())
    }

    /// What a page may say of a request.
    pub async fn about(&self, token: &str) -> Result<About, Refused> {
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        let row = self.opened(&mut connection, Opened::Token(token)).await?;
        let has_code = self.has_code(&row, now);
        if !has_code && !self.can_start(&row, now) {
            return Err(Refused::Gone);
        }
        let who = row.who.as_deref();
        Ok(About {
            who: who.and_then(|who| self.open(&row.id, who)),
            request: Request::parse(&row.request).ok_or(Refused::Gone)?,
            step: if has_code { Step::Code } else { Step::Number },
            resend_after: has_code.then(|| resend_after(&row, now)),
            channel: row.channel,
            asked_at: row.created_at,
            expires_at: row.expires_at,
            language: row.language,
            last4: row.last4.filter(|_| row.bound.is_some()),
            id: row.id,
        })
    }

    /// Takes a number, and has a code mailed to whom it belongs, if it belongs to anybody and no limit is reached. What
    /// comes back is the same in every case. Without a number, the one that was given before counts.
    pub async fn start(
        &self,
        opened: Opened<'_>,
        number: Option<&IdentityNumber>,
        network: Option<AskingNetwork>,
    ) -> Result<Started, Refused> {
        let now = self.clock.now();
        self.is_known(opened).await?;
        let mut transaction = self.store.begin().await?;
        let mut row = self.opened(&mut transaction, opened).await?;
        if !self.can_start(&row, now) {
            return Err(Refused::Gone);
        }
        if let Some(number) = number {
            let subject = self.subject(number);
            // One link serves one person.
            if row.subject.as_ref().is_some_and(|known| *known != subject) {
                return Err(Refused::Gone);
            }
            row.kind = Some(number.kind().as_str().to_owned());
            row.last4 = Some(number.last4());
            row.number = self.seal(&row.id, &number.reveal());
            row.subject = Some(subject);
        }
        if row.subject.is_none() {
            return Err(Refused::Gone);
        }
        if row.sends > 0 && resend_after(&row, now) > 0 && self.has_code(&row, now) {
            return Ok(Started {
                resend_after: resend_after(&row, now),
                issued: true,
            });
        }
        let started = self.issue(&mut transaction, row, network, now).await?;
        transaction.commit().await?;
        self.post.ring();
        Ok(started)
    }

    async fn issue(
        &self,
        connection: &mut Connection,
        mut row: VerificationRow,
        network: Option<AskingNetwork>,
        now: Millis,
    ) -> Result<Started, Refused> {
        let subject = row.subject.clone().unwrap_or_default();
        let asker = Asker {
            chat: row.chat.clone(),
            bound: row.bound.clone(),
            network,
        };
        let admitted = self.limits.admit_start(connection, &asker, &subject, now);
        let admitted = admitted.await?;
        let outcome = if admitted { "issued" } else { "withheld" };
        metrics::counter!("tanya_code_requests_total", "outcome" => outcome).increment(1);
        if !admitted && row.sends > 0 {
            // The code that was mailed before stays good.
            let entry = Entry::new(Event::VerifyStarted, "withheld");
            let entry = entry.within(&row.conversation_id).about(&subject);
            self.record_refusal(connection, entry, now).await?;
            return Ok(Started {
                resend_after: resend_wait(row.sends + 1),
                issued: false,
            });
        }
        row.salt = Some(new_salt());
        row.code_at = Some(now);
        if !verification::issue(connection, &row).await? {
            // Another request was faster: its code is on its way.
            return Ok(Started {
                resend_after: resend_wait(row.sends + 1),
                issued: admitted,
            });
        }
        row.sends += 1;
        if admitted {
            verification::close_others(connection, &row, now).await?;
            let letter = Letter {
                to: To::Number {
                    kind: row.kind.clone().unwrap_or_default(),
                    number: self.number(&row).unwrap_or_default(),
                },
                content: Content::Code {
                    verification: row.id.clone(),
                    sends: row.sends,
                },
                subject: subject.clone(),
                conversation_id: row.conversation_id.clone(),
                language: row.language.clone(),
                expires_at: Some(now + self.limits.code),
            };
            self.post.mail(connection, &letter, now).await?;
        }
        let entry = Entry::new(Event::VerifyStarted, outcome)
            .within(&row.conversation_id)
            .about(&subject);
        if admitted {
            self.audit.record(connection, entry, now).await?;
        } else {
            self.record_refusal(connection, entry, now).await?;
        }
        Ok(Started {
            resend_after: resend_wait(row.sends),
            issued: admitted,
        })
    }

    /// Manual mode: whether a number may be taken for an officer; the request is done when the task is opened.
    pub async fn hand_over(
        &self,
        opened: Opened<'_>,
        number: &IdentityNumber,
        network: Option<AskingNetwork>,
    ) -> Result<VerificationRow, Refused> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = self.opened(&mut transaction, opened).await?;
        if !self.can_start(&row, now) {
            return Err(Refused::Gone);
        }
        let subject = self.subject(number);
        let asker = Asker {
            chat: row.chat.clone(),
            bound: None,
            network,
        };
        let connection = &mut transaction;
        let limits = &self.limits;
        let admitted = limits
            .admit_start(connection, &asker, &subject, now)
            .await?;
        let outcome = if admitted { "handed-over" } else { "withheld" };
        let entry = Entry::new(Event::VerifyStarted, outcome)
            .within(&row.conversation_id)
            .about(&subject);
        if admitted {
            self.audit.record(connection, entry, now).await?;
        } else {
            self.record_refusal(connection, entry, now).await?;
        }
        transaction.commit().await?;
        if admitted {
            Ok(row)
        } else {
            Err(Refused::Locked)
        }
    }

    /// The number that was given to a request.
    pub(super) fn number(&self, row: &VerificationRow) -> Option<String> {
        self.open(&row.id, row.number.as_deref()?)
    }

    /// The number that was given to a request, as what it was given.
    pub(super) fn identity_number(&self, row: &VerificationRow) -> Option<IdentityNumber> {
        let kind = Kind::parse(row.kind.as_deref()?)?;
        IdentityNumber::parse(kind, &self.number(row)?)
    }

    /// A request whose code is to be mailed, if the code is still the one that was issued `sends`th.
    pub async fn to_be_mailed(
        &self,
        id: &str,
        sends: i64,
    ) -> sqlx::Result<Option<VerificationRow>> {
        let mut connection = self.store.connection().await?;
        let row = verification::by_id(&mut connection, id).await?;
        Ok(row.filter(|row| {
            row.sends == sends && row.finished_at.is_none() && row.closed_at.is_none()
        }))
    }

    /// How the channel of a request names the person.
    pub fn who_asked(&self, row: &VerificationRow) -> Option<String> {
        self.open(&row.id, row.who.as_deref()?)
    }

    /// Notes whom the portal knows under the number of a request; tells whether the code is still wanted.
    pub async fn know(&self, id: &str, sends: i64, who: &Who) -> sqlx::Result<bool> {
        let Some(person) = self.seal(id, who) else {
            return Ok(false);
        };
        let mut connection = self.store.connection().await?;
        verification::know(&mut connection, id, sends, &person).await
    }

    /// Has a mail sent to somebody that is no code, if they do not get too many.
    pub async fn notify(
        &self,
        connection: &mut Connection,
        letter: &Letter,
        now: Millis,
    ) -> sqlx::Result<()> {
        let limits = &self.limits;
        if limits
            .admit_notice(connection, &letter.subject, now)
            .await?
        {
            self.post.mail(connection, letter, now).await?;
        }
        Ok(())
    }
}

/// How long one waits for the code after the `sends`th, in milliseconds.
fn resend_wait(sends: i64) -> Millis {
    let place = usize::try_from(sends - 1).unwrap_or_default();
    let longest = RESEND.last().copied().unwrap_or_default();
    RESEND.get(place).copied().unwrap_or(longest)
}

/// How much of that is left.
fn resend_after(row: &VerificationRow, now: Millis) -> Millis {
    let wait = resend_wait(row.sends);
    let passed = now - row.code_at.unwrap_or(now);
    (wait - passed).clamp(0, wait)
}

fn new_salt() -> String {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
