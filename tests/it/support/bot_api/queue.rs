//! The updates that wait for the bot, as getUpdates hands them out.

use serde_json::Value;

/// What is not handed out unless the bot asks for it by name.
const ONLY_ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

struct Waiting {
    update: Value,
    handed_out: bool,
    /// Whether it comes even if the bot has not asked for its kind.
    unasked: bool,
}

/// Updates in the order in which they were given, whatever their ids are.
#[derive(Default)]
pub struct Queue {
    waiting: Vec<Waiting>,
    everything: Vec<Value>,
    /// Where the next round begins while everything is given again.
    turn: usize,
    /// Whether what was confirmed is given again all the same.
    pub redeliver: bool,
    /// The highest offset that the bot has named.
    pub confirmed: Option<i64>,
    /// The kinds that the bot has asked for; when empty, all but those that come only on request.
    pub allowed: Vec<String>,
}

impl Queue {
    pub fn push(&mut self, update: Value, unasked: bool) {
        self.everything.push(update.clone());
        self.waiting.push(Waiting {
            update,
            handed_out: false,
            unasked,
        });
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Forgets what was handed out below this offset; a negative one leaves only so many of the last.
    pub fn confirm(&mut self, offset: i64) {
        if offset < 0 {
            let kept = usize::try_from(-offset).unwrap_or(usize::MAX);
            let forgotten = self.waiting.len().saturating_sub(kept);
            self.waiting.drain(..forgotten);
            return;
        }
        self.confirmed = self.confirmed.max(Some(offset));
        self.waiting
            .retain(|waiting| !waiting.handed_out || id(&waiting.update) >= Some(offset));
    }

    /// At most `limit` of the updates that are not confirmed.
    pub fn hand_out(&mut self, limit: usize) -> Vec<Value> {
        if self.redeliver {
            return self.hand_out_again(limit);
        }
        let allowed = std::mem::take(&mut self.allowed);
        self.waiting
            .retain(|waiting| waiting.unasked || asked_for(&waiting.update, &allowed));
        self.allowed = allowed;
        let mut batch = Vec::new();
        for waiting in self.waiting.iter_mut().take(limit) {
            waiting.handed_out = true;
            batch.push(waiting.update.clone());
        }
        // What has no id can never be confirmed.
        self.waiting
            .retain(|waiting| !waiting.handed_out || id(&waiting.update).is_some());
        batch
    }

    fn hand_out_again(&mut self, limit: usize) -> Vec<Value> {
        let count = limit.min(self.everything.len());
        let round = self.everything.iter().cycle().skip(self.turn);
        let batch = round.take(count).cloned().collect();
        self.turn = (self.turn + count) % self.everything.len().max(1);
        batch
    }
}

fn id(update: &Value) -> Option<i64> {
    update["update_id"].as_i64()
}

fn asked_for(update: &Value, allowed: &[String]) -> bool {
    let fields = update.as_object();
    let mut kinds = fields.into_iter().flat_map(|fields| fields.keys());
    kinds.all(|kind| {
        let on_request = ONLY_ON_REQUEST.contains(&kind.as_str());
        kind == "update_id" || allowed.contains(kind) || (allowed.is_empty() && !on_request)
    })
}
