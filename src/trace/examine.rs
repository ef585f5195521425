//! Whether a collector takes spans: it is given none.

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;

use super::Collector;

/// How a collector answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It takes spans.
    Works,
    /// It does not take the token, or wants one.
    Unproven,
    /// It answers with another status.
    Strange(u16),
    /// It does not answer.
    Down,
}

impl Collector {
    /// Hands over nothing, as spans are handed over.
    pub async fn examine(&self) -> Reached {
        let Ok(client) = self.client() else {
            return Reached::Down;
        };
        // A message of this protocol in which there is nothing has no bytes.
        let nothing = client
            .post(self.address())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body("");
        match nothing.send().await.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Reached::Works,
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Reached::Unproven,
            Ok(status) => Reached::Strange(status.as_u16()),
            Err(_) => Reached::Down,
        }
    }
}
