//! Tells a page that something changed: in the queues, or in the chat of one ticket. The page reads itself anew.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, interval};

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Wanted, Who, token};
use crate::clock::Millis;
use crate::conversation::hub::{DESK, Signal};
use crate::storage::{ticket, ticket_view};
use crate::ticket::TicketNumber;

/// Between two looks at whether the officer is still signed in: who was signed out hears nothing more after two seconds.
const BEAT: Duration = Duration::from_secs(1);
/// Beats between two looks at everything, and between two comments that keep the line open.
const BEATS: u32 = 15;
/// What changes all the time is told this often at most.
const CALM: Duration = Duration::from_millis(300);

/// What is followed.
#[derive(Debug, Default, Deserialize)]
pub struct Followed {
    #[serde(default)]
    tiket: String,
}

struct Follower {
    state: WebState,
    token: String,
    agent: String,
    ticket: Option<TicketNumber>,
    desk: Receiver<Signal>,
    chat: Option<Receiver<Signal>>,
    beat: Interval,
    beats: u32,
}

/// `GET /console/langsung`: `changed` when there is something new, `ended` when the officer is signed out.
pub async fn follow(
    State(state): State<WebState>,
    Who(who): Who,
    headers: HeaderMap,
    Wanted(followed): Wanted<Followed>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let token = token(&state, &headers).ok_or(Code::SessionEnded)?;
    let number = TicketNumber::parse(&followed.tiket);
    let mut chat = None;
    if let Some(number) = &number {
        let mut connection = state.limits.store.connection().await?;
        let row = ticket::by_number(&mut connection, number.as_str()).await?;
        chat = row.map(|row| state.engine.hub().watch(&row.conversation_id));
    }
    let follower = Follower {
        desk: state.engine.hub().watch(DESK),
        chat,
        token,
        agent: who.id,
        ticket: number,
        state,
        beat: interval(BEAT),
        beats: 0,
    };
    let stream = unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        let name = follower.next().await?;
        let event = Event::default().event(name).data("{}");
        // After its end nothing comes.
        let rest = (name != "ended").then_some(follower);
        Some((Ok(event), rest))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(BEAT * BEATS)))
}

impl Follower {
    async fn next(&mut self) -> Option<&'static str> {
        loop {
            let changed = tokio::select! {
                () = self.state.stop.cancelled() => return None,
                signal = self.desk.recv() => heard(signal)?,
                signal = heard_in(self.chat.as_mut()) => heard(signal)?,
                _ = self.beat.tick() => {
                    self.beats = (self.beats + 1) % BEATS;
                    if !self.is_signed_in().await? {
                        return Some("ended");
                    }
                    // The database is the truth: what no signal told shows now.
                    self.beats == 0
                }
            };
            if changed {
                tokio::time::sleep(CALM).await;
                while self.desk.try_recv().is_ok() {}
                if !self.is_signed_in().await? {
                    return Some("ended");
                }
                self.look().await;
                return Some("changed");
            }
        }
    }

    async fn is_signed_in(&self) -> Option<bool> {
        let signed_in = self.state.agents.signed_in(&self.token, false).await;
        signed_in.ok().map(|who| who.is_some())
    }

    /// Whoever has the page open looks at the ticket.
    async fn look(&self) {
        let Some(number) = &self.ticket else {
            return;
        };
        let now: Millis = self.state.limits.clock.now();
        if let Ok(mut connection) = self.state.limits.store.connection().await {
            let _ = ticket_view::touch(&mut connection, number.as_str(), &self.agent, now).await;
        }
    }
}

/// Whether a signal is worth telling; none where nobody will ever signal again.
fn heard(signal: Result<Signal, RecvError>) -> Option<bool> {
    match signal {
        Ok(Signal::Typing) => Some(false),
        Ok(Signal::Written | Signal::Changed | Signal::Ended) | Err(RecvError::Lagged(_)) => {
            Some(true)
        }
        Err(RecvError::Closed) => None,
    }
}

async fn heard_in(chat: Option<&mut Receiver<Signal>>) -> Result<Signal, RecvError> {
    match chat {
        Some(chat) => chat.recv().await,
        None => std::future::pending().await,
    }
}
