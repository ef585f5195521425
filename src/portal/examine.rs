//! Whether the portal answers and takes our token, for who looks after it. The breaker is not asked, nor told.

use jiff::fmt::rfc2822;
use reqwest::header::DATE;
use reqwest::{Method, StatusCode};

use super::Portal;
use crate::clock::Millis;

/// How the portal is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It answers, and takes the token.
    Works {
        /// What time it has.
        time: Option<Millis>,
    },
    /// It does not take the token.
    Unproven,
    /// It answers with this status.
    Strange(u16),
    /// It does not answer.
    Down,
}

impl Portal {
    /// Asks how the systems are, which touches no record.
    pub async fn examine(&self) -> Reached {
        let Ok(answer) = self.request(Method::GET, &["status"]).send().await else {
            return Reached::Down;
        };
        let date = answer.headers().get(DATE);
        let date = date.and_then(|date| date.to_str().ok());
        let time = date.and_then(|date| rfc2822::parse(date).ok());
        match answer.status() {
            StatusCode::OK => Reached::Works {
                time: time.map(|time| time.timestamp().as_millisecond()),
            },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Reached::Unproven,
            status => Reached::Strange(status.as_u16()),
        }
    }
}
