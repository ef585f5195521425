//! The operator's listener: is it alive, is it ready, how is it doing. Nothing here is for the public.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::metrics;
use crate::knowledge::live::LiveKnowledge;
use crate::storage::{Store, conversation, inbound, outbox};

/// What the operator's listener looks at.
#[derive(Clone)]
pub struct AdminState {
    /// The database.
    pub store: Arc<Store>,
    /// The knowledge.
    pub knowledge: Arc<LiveKnowledge>,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    knowledge: &'static str,
    database: &'static str,
}

/// Everything that the operator's listener answers.
pub fn router(state: AdminState) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(state)
}

/// Ready as long as the database answers; an older knowledge than the files is no reason to send users away.
async fn ready(State(state): State<AdminState>) -> (StatusCode, Json<Readiness>) {
    let database = state.store.ping().await;
    if let Err(error) = &database {
        tracing::error!(%error, "the database does not answer");
    }
    let up = database.is_ok();
    let status = if up {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let readiness = Readiness {
        status: if up { "ready" } else { "unavailable" },
        knowledge: if state.knowledge.is_stale() {
            "stale"
        } else {
            "current"
        },
        database: if up { "up" } else { "down" },
    };
    (status, Json(readiness))
}

async fn figures(State(state): State<AdminState>) -> String {
    let stale = if state.knowledge.is_stale() { 1.0 } else { 0.0 };
    ::metrics::gauge!("tanya_knowledge_stale").set(stale);
    let mut figures = metrics::collect().map_or_else(String::new, |handle| handle.render());
    match queues(&state.store).await {
        Ok(queues) => {
            for (name, count) in queues {
                figures.push_str(&format!("# TYPE {name} gauge\n{name} {count}\n"));
            }
        }
        Err(error) => tracing::error!(%error, "what waits could not be counted"),
    }
    figures
}

/// What waits, and what was given up, over all processes on the database.
async fn queues(store: &Store) -> sqlx::Result<[(&'static str, i64); 5]> {
    let mut connection = store.connection().await?;
    let (in_waiting, in_failed) = inbound::waiting_and_failed(&mut connection).await?;
    let (out_waiting, out_dead) = outbox::waiting_and_dead(&mut connection).await?;
    let unreachable = conversation::unreachable(&mut connection).await?;
    Ok([
        ("tanya_inbound_waiting", in_waiting),
        ("tanya_inbound_failed", in_failed),
        ("tanya_outbox_waiting", out_waiting),
        ("tanya_outbox_dead", out_dead),
        ("tanya_conversations_unreachable", unreachable),
    ])
}
