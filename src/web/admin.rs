//! The operator's listener: is it alive, is it ready, how is it doing. Nothing here is for the public.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::{figures, metrics};
use crate::clock::Clock;
use crate::incident::Incidents;
use crate::knowledge::live::LiveKnowledge;
use crate::storage::Store;

/// What the operator's listener looks at.
#[derive(Clone)]
pub struct AdminState {
    /// The database.
    pub store: Arc<Store>,
    /// The knowledge.
    pub knowledge: Arc<LiveKnowledge>,
    /// The time.
    pub clock: Clock,
    /// Knows how the two systems are.
    pub incidents: Arc<Incidents>,
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
        .route("/metrics", get(all_figures))
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

async fn all_figures(State(state): State<AdminState>) -> String {
    let mut text = metrics::collect().map_or_else(String::new, |handle| handle.render());
    text.push_str(&figures::look(&state).await.into_text());
    text
}
