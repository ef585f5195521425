//! Where pictures are decoded: beside everything else, one at a time, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;

use super::{Picture, PictureRefused, reencode};

/// How long a picture waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// How long one may take; those that are taken take a second.
const LONGEST: Duration = Duration::from_secs(15);

/// Why nothing came out.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecodingError {
    /// The picture is not taken.
    #[error(transparent)]
    Refused(#[from] PictureRefused),
    /// Too many wait before it; worth trying again.
    #[error("too many pictures are being decoded")]
    Busy,
}

/// The one place of a process where pictures are decoded.
#[derive(Clone, Debug)]
pub struct Decoding {
    places: Arc<Semaphore>,
}

impl Default for Decoding {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Decoding {
    /// A picture anew from its pixels, as soon as it is its turn.
    pub async fn reencode(&self, bytes: Vec<u8>) -> Result<Picture, DecodingError> {
        self.reencode_within(bytes, TURN).await
    }

    async fn reencode_within(
        &self,
        bytes: Vec<u8>,
        turn: Duration,
    ) -> Result<Picture, DecodingError> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(turn, place).await;
        let place = place
            .map_err(|_| DecodingError::Busy)?
            .map_err(|_| DecodingError::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            // The place is held until it is really over, also when nobody waits any more.
            let _place = place;
            reencode(&bytes)
        });
        match tokio::time::timeout(LONGEST, task).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            Ok(Err(_)) | Err(_) => Err(PictureRefused::Damaged.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_after_another_and_the_place_is_given_back() {
        let decoding = Decoding::default();
        let refused = Err(DecodingError::Refused(PictureRefused::Unsupported));
        for _ in 0..3 {
            assert_eq!(decoding.reencode(b"GIF89a".to_vec()).await, refused);
        }
        assert_eq!(decoding.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_to_come_back() {
        let decoding = Decoding::default();
        let _taken = Arc::clone(&decoding.places).acquire_owned().await.unwrap();
        let turn = Duration::from_millis(1);
        let busy = decoding.reencode_within(Vec::new(), turn).await;
        assert_eq!(busy, Err(DecodingError::Busy));
    }
}
