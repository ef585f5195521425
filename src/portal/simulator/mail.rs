//! What "the portal" mails. Nothing is sent: the mails are kept to be looked at.

use std::collections::VecDeque;

use serde::Serialize;
use uuid::Uuid;

use super::person::Person;
use crate::clock::{Millis, rfc3339};

/// How many mails are kept.
const KEPT: usize = 500;

/// One mail of the sample portal.
#[derive(Clone, Debug, Serialize)]
pub struct SimulatedMail {
    /// The registered address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The whole text.
    pub text: String,
    /// The `Message-ID`, in angle brackets.
    pub message_id: String,
    /// When it was sent, RFC 3339 in UTC.
    pub at: String,
}

/// Why a temporary password is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The old one is forgotten.
    Reset,
    /// The account is new.
    Activation,
}

/// The mails kept, oldest first.
#[derive(Debug, Default)]
pub struct Outgoing {
    mails: VecDeque<SimulatedMail>,
}

impl Outgoing {
    /// Mails a temporary password to the address that is registered.
    pub fn temporary_password(&mut self, to: &str, letter: &Letter<'_>, at: Millis) {
        if self.mails.len() >= KEPT {
            self.mails.pop_front();
        }
        self.mails.push_back(SimulatedMail {
            to: to.to_owned(),
            subject: letter.subject().to_owned(),
            text: letter.text(),
            message_id: format!("<{}@portal.contoh.example>", Uuid::new_v4()),
            at: rfc3339(at),
        });
    }

    /// All that is kept, oldest first.
    pub fn all(&self) -> Vec<SimulatedMail> {
        self.mails.iter().cloned().collect()
    }
}

/// What a mail with a temporary password says.
pub struct Letter<'a> {
    /// Who it is for.
    pub person: &'a Person,
    /// Why it is sent.
    pub reason: Reason,
    /// The temporary password.
    pub password: &'a str,
    /// Where to log in.
    pub portal: &'a str,
}

impl Letter<'_> {
    fn subject(&self) -> &'static str {
        match self.reason {
            Reason::Reset => "Portal iSPEKS (CONTOH): kata laluan sementara / temporary password",
            Reason::Activation => "Portal iSPEKS (CONTOH): pengaktifan akaun / account activation",
        }
    }

    fn text(&self) -> String {
        let (why_ms, why_en) = match self.reason {
            Reason::Reset => (
                "Kami menerima permintaan untuk menetapkan semula kata laluan Portal iSPEKS tuan/puan.",
                "We were asked to reset your Portal iSPEKS password.",
            ),
            Reason::Activation => (
                "Akaun Portal iSPEKS tuan/puan telah didaftarkan dan menunggu pengaktifan.",
                "Your Portal iSPEKS account is registered and waits for activation.",
            ),
        };
        let (name, password, portal) = (self.person.name, self.password, self.portal);
        format!(
            "CONTOH - bukan e-mel rasmi / SAMPLE - not an official e-mail\n\
             \n\
             {name},\n\
             \n\
             {why_ms}\n\
             \n\
             Kata laluan sementara: {password}\n\
             \n\
             Log masuk di {portal}/ dalam masa 24 jam, kemudian tukar kata laluan di bahagian Akaun > Tukar Kata Laluan. \
             Jika tuan/puan tidak membuat permintaan ini, abaikan e-mel ini.\n\
             \n\
             --\n\
             \n\
             {why_en}\n\
             \n\
             Temporary password: {password}\n\
             \n\
             Log in at {portal}/ within 24 hours, then change the password under Akaun > Tukar Kata Laluan. \
             If you did not ask for this, ignore this e-mail.\n"
        )
    }
}
