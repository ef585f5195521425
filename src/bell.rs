//! Wakes those in this process who wait for work. A hint only: everybody also looks from time to time.

use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long anybody sleeps before looking for work that no bell was rung for.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The bells of a process.
#[derive(Debug, Default)]
pub struct Bells {
    /// Something came in.
    pub inbound: Bell,
    /// Something must go out.
    pub outbound: Bell,
    /// A mail waits.
    pub mail: Bell,
    /// An errand to the portal waits.
    pub errand: Bell,
}

/// One bell; who rings it wakes one sleeper, or the next one to lie down.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Sleeps until the bell rings, for [`LOOK_EVERY`] at most; tells whether to go on.
    pub async fn sleep(&self, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = stop.cancelled() => false,
            () = self.0.notified() => true,
            () = tokio::time::sleep(LOOK_EVERY) => true,
        }
    }
}
