//! How the two systems are, and what is announced, for the strip above a chat's messages.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::WebState;
use super::error::{Code, Problem};
use crate::clock::rfc3339;
use crate::incident::{Health, System};
use crate::knowledge::text::Language;

/// In which language.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    lang: Language,
}

/// How a system is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SystemHealth {
    /// It works.
    Up,
    /// It does not.
    Down,
    /// It is being worked on.
    Maintenance,
    /// Nobody knows.
    Unknown,
}

impl From<Health> for SystemHealth {
    fn from(health: Health) -> Self {
        match health {
            Health::Up => Self::Up,
            Health::Down => Self::Down,
            Health::Maintenance => Self::Maintenance,
            Health::Unknown => Self::Unknown,
        }
    }
}

/// How both systems are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// Sistem iSPEKS.
    sistem: SystemHealth,
    /// Portal iSPEKS.
    portal: SystemHealth,
    /// What those who run them add, as they wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Since when Sistem iSPEKS does not work, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    sistem_since: Option<String>,
    /// Since when Portal iSPEKS does not work, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    portal_since: Option<String>,
    /// What officers announce to everybody now.
    #[serde(skip_serializing_if = "Option::is_none")]
    announcement: Option<String>,
}

/// How the two systems are, as far as it is known, and what is announced.
#[utoipa::path(get, path = "/api/v1/status", tag = "status",
    params(("lang" = Option<Language>, Query, description = "Language of the announcement")),
    responses((status = 200, body = Status), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn show(
    State(state): State<WebState>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Status>), Code> {
    let Query(asked) = asked.map_err(|_| Code::InvalidBody)?;
    let (overview, announced) = state.engine.overview().await?;
    let troubles = &overview.troubles;
    let note = troubles.iter().find(|trouble| !trouble.note.is_empty());
    let since = |system: System| {
        let trouble = troubles.iter().find(|trouble| trouble.system == system);
        trouble.map(|trouble| rfc3339(trouble.since))
    };
    let status = Status {
        sistem: overview.sistem.into(),
        portal: overview.portal.into(),
        note: note.map(|trouble| trouble.note.clone()),
        sistem_since: since(System::Sistem),
        portal_since: since(System::Portal),
        announcement: announced.map(|row| match asked.lang {
            Language::Ms => row.text_ms,
            Language::En => row.text_en,
        }),
    };
    let kept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((kept, Json(status)))
}
