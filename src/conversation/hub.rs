//! Wakes those who watch a conversation in this process. A hint only: the database is the truth.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

/// The name under which the queues of officers are watched: something changed on a ticket.
pub const DESK: &str = "desk";

/// What happened in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// There are new messages.
    Written,
    /// Something that was shown already is not as it was.
    Changed,
    /// Somebody is working on a reply.
    Typing,
    /// The conversation is over.
    Ended,
}

/// Signals that a slow watcher may lag behind before it is told to look for itself.
const BACKLOG: usize = 16;

/// Those who watch, by conversation.
#[derive(Debug, Default)]
pub struct Hub {
    watched: Mutex<HashMap<String, broadcast::Sender<Signal>>>,
}

impl Hub {
    /// Signals of a conversation from now on.
    pub fn watch(&self, conversation_id: &str) -> broadcast::Receiver<Signal> {
        let mut watched = self.lock();
        watched.retain(|_, sender| sender.receiver_count() > 0);
        watched
            .entry(conversation_id.to_owned())
            .or_insert_with(|| broadcast::channel(BACKLOG).0)
            .subscribe()
    }

    /// Tells whoever watches.
    pub fn signal(&self, conversation_id: &str, signal: Signal) {
        if let Some(sender) = self.lock().get(conversation_id) {
            // Nobody may be left to hear it.
            let _ = sender.send(signal);
        }
    }

    /// Tells everybody who watches anything: something may have been missed.
    pub fn signal_all(&self, signal: Signal) {
        for sender in self.lock().values() {
            let _ = sender.send(signal);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Signal>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
