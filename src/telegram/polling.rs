//! Fetching updates. One process at a time asks; what came is kept before the next question confirms it.

use std::time::{Duration, Instant};

use teloxide::Bot;
use teloxide::requests::Requester;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::api::{FetchUpdates, POLL, Refusal};
use super::inbox::Inbox;
use crate::clock::Millis;
use crate::storage::lease;

/// How long the right to ask lasts without being renewed, and how often it is.
const LEASE: Millis = 20_000;
const RENEW: Duration = Duration::from_secs(5);
/// How long is waited after a conflict: another instance, of another database, has this token. Telegram refuses who
/// asked first: whoever meets conflicts again and again gives way for longer.
const CONFLICT: Duration = Duration::from_secs(15);
const LONGEST_CONFLICT: Duration = Duration::from_secs(600);
/// Questions without a conflict after which it is over.
const UNDISTURBED: u32 = 4;
/// The longest wait after failures.
const LONGEST: Duration = Duration::from_secs(30);
/// The pause after an answer that came at once and brought nothing.
const UNHELD: Duration = Duration::from_millis(200);
/// How often another process looks whether it is its turn to ask.
const STAND_BY: Duration = Duration::from_secs(2);

/// What fetches updates.
pub struct Polling {
    /// The bot, with the patience that a held question needs.
    pub bot: Bot,
    /// Where updates are kept.
    pub inbox: Inbox,
}

impl Polling {
    /// Fetches until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let holder = Uuid::new_v4().to_string();
        let mut turn = Turn::default();
        while !stop.is_cancelled() {
            let pause = match self.holds_lease(&holder).await {
                Ok(true) => tokio::select! {
                    () = stop.cancelled() => break,
                    pause = self.fetch(&mut turn) => pause,
                    () = self.keep_lease(&holder) => Duration::ZERO,
                },
                Ok(false) => {
                    turn = Turn::default();
                    STAND_BY
                }
                Err(error) => {
                    tracing::error!(%error, "the database failed; no updates are fetched");
                    turn.failed()
                }
            };
            let _ = tokio::time::timeout(pause, stop.cancelled()).await;
        }
        self.give_back(&holder).await;
    }

    async fn holds_lease(&self, holder: &str) -> sqlx::Result<bool> {
        let now = self.inbox.clock.now();
        let mut transaction = self.inbox.store.begin().await?;
        let name = format!("polling {}", self.inbox.source);
        let held = lease::take(&mut transaction, &name, holder, now, now + LEASE).await?;
        transaction.commit().await?;
        Ok(held)
    }

    /// Renews the lease for as long as it can; comes back when it is lost.
    async fn keep_lease(&self, holder: &str) {
        loop {
            tokio::time::sleep(RENEW).await;
            // A database that fails for a moment has not given it to anybody else.
            if let Ok(false) = self.holds_lease(holder).await {
                return;
            }
        }
    }

    async fn give_back(&self, holder: &str) {
        let name = format!("polling {}", self.inbox.source);
        if let Ok(mut connection) = self.inbox.store.connection().await {
            // It ends by itself in any case.
            let _ = lease::give_back(&mut connection, &name, holder).await;
        }
    }

    /// Asks once; returns how long to wait before the next question.
    async fn fetch(&self, turn: &mut Turn) -> Duration {
        let asked = Instant::now();
        let fetch = FetchUpdates::after(turn.confirmed).request(&self.bot);
        // The server answers after POLL; whoever is silent for longer has lost the line.
        let answered = tokio::time::timeout(POLL * 2, fetch).await;
        let updates = match answered {
            Ok(Ok(updates)) => updates,
            Ok(Err(error)) => return self.refused(turn, Refusal::from(&error)).await,
            Err(_) => return turn.refused(Refusal::Down),
        };
        turn.succeeded();
        match self.inbox.keep(&updates).await {
            // Without a number nothing can be confirmed: it would come again at once.
            Ok(None) if !updates.is_empty() => return turn.failed(),
            // Confirmed with the next question, and not named again: numbers may begin anew after a silence.
            Ok(highest) => turn.confirmed = highest,
            Err(error) => {
                tracing::error!(%error, "updates could not be kept; they are fetched again");
                return turn.failed();
            }
        }
        // A server that does not hold the question is not asked without a pause.
        let held = !updates.is_empty() || asked.elapsed() > UNHELD;
        if held { Duration::ZERO } else { UNHELD }
    }

    /// Updates that are brought cannot be fetched: whoever is set to fetch has them brought no more, once. Who brings
    /// them back is another instance, and left alone.
    async fn refused(&self, turn: &mut Turn, refusal: Refusal) -> Duration {
        if refusal != Refusal::Hooked || turn.unhooked {
            return turn.refused(refusal);
        }
        tracing::warn!("a webhook is set for this bot; it is removed, since updates are fetched");
        match self.bot.delete_webhook().await {
            Ok(_) => {
                turn.unhooked = true;
                Duration::ZERO
            }
            Err(error) => turn.refused(Refusal::from(&error)),
        }
    }
}

/// How the questions went so far.
#[derive(Debug, Default)]
struct Turn {
    /// Whether a webhook was removed.
    unhooked: bool,
    /// The highest number of what was kept and not confirmed yet.
    confirmed: Option<i64>,
    failures: u32,
    /// Conflicts in a row, and questions since the last.
    conflicts: u32,
    undisturbed: u32,
}

impl Turn {
    fn succeeded(&mut self) {
        self.failures = 0;
        self.undisturbed = self.undisturbed.saturating_add(1);
        if self.conflicts > 0 && self.undisturbed >= UNDISTURBED {
            tracing::info!("no other instance fetches this bot's updates any more");
            self.conflicts = 0;
        }
        let conflict = if self.conflicts > 0 { 1.0 } else { 0.0 };
        metrics::gauge!("tanya_telegram_conflict").set(conflict);
    }

    fn refused(&mut self, refusal: Refusal) -> Duration {
        metrics::counter!("tanya_telegram_refused_total", "what" => "fetch", "why" => refusal.as_str())
            .increment(1);
        match refusal {
            Refusal::Slow(wait) => wait,
            Refusal::Conflict | Refusal::Hooked => {
                if self.conflicts == 0 {
                    tracing::warn!(
                        "another instance fetches this bot's updates, or a webhook is set; this one waits until it is alone"
                    );
                }
                let wait = CONFLICT * 2_u32.saturating_pow(self.conflicts.min(6));
                self.conflicts = self.conflicts.saturating_add(1);
                self.undisturbed = 0;
                metrics::gauge!("tanya_telegram_conflict").set(1.0);
                // Two that wait alike would meet again.
                wait.min(LONGEST_CONFLICT)
                    .mul_f64(rand::random_range(0.75..1.25))
            }
            Refusal::Token => {
                tracing::error!(
                    "Telegram does not know the bot's token; check TANYA_TELEGRAM_TOKEN"
                );
                LONGEST
            }
            Refusal::Down
            | Refusal::Lost
            | Refusal::Wrong
            | Refusal::Forbidden
            | Refusal::Moved(_) => {
                if self.failures == 0 {
                    tracing::warn!(
                        why = refusal.as_str(),
                        "Telegram cannot be reached; trying again"
                    );
                }
                self.failed()
            }
        }
    }

    fn failed(&mut self) -> Duration {
        let wait = Duration::from_millis(500) * 2_u32.saturating_pow(self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        wait.min(LONGEST)
    }
}
