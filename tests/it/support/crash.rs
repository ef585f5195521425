//! A program that is killed at random moments, again and again. `TANYA_TEST_CRASHES` says how often; `scripts/crash`
//! does it many more times.

use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use super::SECRET_KEY;
use super::process::{Process, tanya};

/// How often the program is killed, and within how long after it was ready.
pub struct Crashes {
    pub times: usize,
    within: Duration,
}

impl Crashes {
    /// As often as is asked for, or else a few times.
    pub fn new(few: usize, within: Duration) -> Self {
        let asked = std::env::var("TANYA_TEST_CRASHES").ok();
        Self {
            times: asked.map_or(few, |asked| asked.parse().unwrap()),
            within,
        }
    }

    /// Kills the program and starts it again; `meanwhile` is what happens while nobody is there.
    pub async fn befall(
        &self,
        process: &mut Process,
        folder: &Path,
        mut meanwhile: impl AsyncFnMut(),
    ) {
        let mut random = Uuid::new_v4().as_u128();
        for crash in 0..self.times {
            // From the middle of starting to a while of work.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let wait = (random >> 64) % self.within.as_millis();
            tokio::time::sleep(Duration::from_millis(wait as u64)).await;
            process.kill();
            meanwhile().await;
            process.again(folder).await;
            if crash % 20 == 19 {
                eprintln!("{} crashes", crash + 1);
            }
        }
    }
}

/// Checks the audit record with the command that an operator has.
pub fn the_record_is_whole(folder: &Path, url: &str) {
    let settings = [
        ("TANYA_DATABASE_URL", url),
        ("TANYA_SECRET_KEY", SECRET_KEY),
        ("TANYA_LOG", "error"),
    ];
    let mut command = tanya(folder, &["audit", "verify"], &settings);
    assert!(command.status().unwrap().success(), "the record is broken");
}
