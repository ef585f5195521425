//! The event stream of a chat: resumes after any number, loses nothing and repeats nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::WebState;
use super::chat::After;
use super::error::{Code, Problem, Refusal};
use super::extract::OpenConversation;
use super::limit::StreamPlace;
use crate::conversation::hub::Signal;
use crate::conversation::message::Message;

/// A comment goes out after this silence, and the database is looked at: signals are hints only.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Follow a chat as server-sent events: `message` with its number as id; `typing`, `changed` (what was shown is to be read
/// anew) and `ended` without one.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/events", tag = "chat",
    params(("id" = String, Path), ("after" = Option<i64>, Query), ("Last-Event-ID" = Option<String>, Header)),
    security(("chat" = [])),
    responses((status = 200, content_type = "text/event-stream", body = Message), (status = "4XX", body = Problem)))]
pub async fn follow(
    State(state): State<WebState>,
    OpenConversation(id): OpenConversation,
    headers: HeaderMap,
    after: Result<Query<After>, axum::extract::rejection::QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let Query(after) = after.map_err(|_| Code::InvalidBody)?;
    let resumed = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let follower = Follower {
        place: state.limits.admit_stream(&id),
        // Watched before the first look at the database: what is written in between is signalled.
        signals: state.engine.hub().watch(&id),
        beat: tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT),
        after: resumed.unwrap_or(after.after),
        waiting: VecDeque::new(),
        look: true,
        end: End::NotYet,
        id,
        state,
    };
    see(&follower.state, &follower.id).await;
    // It may have ended between the token's check and the first signal.
    if !follower.state.engine.is_open(&follower.id).await? {
        return Err(Code::SessionEnded.into());
    }
    let stream = unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

struct Follower {
    place: StreamPlace,
    state: WebState,
    id: String,
    signals: Receiver<Signal>,
    /// Looks again whether or not there was a signal, and notes that the person is there.
    beat: tokio::time::Interval,
    after: i64,
    waiting: VecDeque<Message>,
    /// Whether there may be messages that were not read yet.
    look: bool,
    end: End,
}

/// Whether the chat is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    Due,
    Told,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                self.after = message.seq;
                return Some(event(&message));
            }
            match self.end {
                End::NotYet => {}
                End::Told => return None,
                End::Due => {
                    self.end = End::Told;
                    return Some(Event::default().event("ended").data("{}"));
                }
            }
            if self.look {
                self.look = false;
                self.read().await?;
                continue;
            }
            let signal = tokio::select! {
                () = self.state.stop.cancelled() => return None,
                () = self.place.displaced() => return None,
                signal = self.signals.recv() => signal,
                _ = self.beat.tick() => {
                    see(&self.state, &self.id).await;
                    Err(RecvError::Lagged(0))
                }
            };
            match signal {
                // What was typed is there already: nobody needs to hear of it.
                Ok(Signal::Typing) if !self.signals.is_empty() => {}
                Ok(Signal::Typing) => return Some(Event::default().event("typing").data("{}")),
                Ok(Signal::Written) => self.look = true,
                Ok(Signal::Changed) => return Some(Event::default().event("changed").data("{}")),
                Ok(Signal::Ended) => self.last_look().await?,
                Err(RecvError::Lagged(_)) => match self.state.engine.is_open(&self.id).await {
                    Ok(true) => self.look = true,
                    Ok(false) => self.last_look().await?,
                    Err(_) => return None,
                },
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Reads what was written before the end; whoever resumes after it is told that the chat is over.
    async fn last_look(&mut self) -> Option<()> {
        self.end = End::Due;
        self.read().await
    }

    /// Reads what is new. A database that fails ends the stream: the client resumes where it was.
    async fn read(&mut self) -> Option<()> {
        let messages = self.state.engine.messages(&self.id, self.after).await;
        let messages = messages.inspect_err(|error| tracing::error!(%error, "a stream broke off"));
        let messages = messages.ok()?;
        self.look = messages.len() as i64 == crate::storage::message::PAGE;
        self.waiting.extend(messages);
        Some(())
    }
}

/// Notes that the person is there, for officers who wait for them.
async fn see(state: &WebState, id: &str) {
    if let Err(error) = state.engine.see(id).await {
        tracing::error!(%error, "nobody knows whether a person is still there");
    }
}

fn event(message: &Message) -> Event {
    let data = serde_json::to_string(message).unwrap_or_default();
    Event::default()
        .event("message")
        .id(message.seq.to_string())
        .data(data)
}
