//! The demonstration's inbox: what would have been mailed, to be read on a page.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Mails that are kept.
const KEPT: usize = 500;

/// A mail that was not really sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InboxMail {
    /// Whom it is for.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The id that it would have had.
    pub message_id: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// The inbox of this process.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<VecDeque<InboxMail>>);

impl Inbox {
    /// Keeps a mail; one that comes again is the same.
    pub fn put(&self, mail: InboxMail) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.iter().any(|kept| kept.message_id == mail.message_id) {
            return;
        }
        mails.push_back(mail);
        while mails.len() > KEPT {
            mails.pop_front();
        }
    }

    /// What is kept, the oldest first.
    pub fn mails(&self) -> Vec<InboxMail> {
        let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().cloned().collect()
    }
}
