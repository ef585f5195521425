//! The settings that say who takes traces.

use reqwest::header::HeaderValue;

use super::reader::Reader;
use crate::secret::Secret;
use crate::trace::Collector;

impl Reader {
    /// What takes traces; none unless its address is given.
    pub(super) fn collector(&mut self) -> Option<Collector> {
        let sample = self.share("OTLP_SAMPLE", 1.0);
        let token = self.text("OTLP_TOKEN");
        let fits = |token: &String| HeaderValue::from_str(token).is_ok();
        if !token.as_ref().is_none_or(fits) {
            self.problems
                .push("TANYA_OTLP_TOKEN must be one line of letters, digits and signs".to_owned());
        }
        Some(Collector {
            url: self.site("OTLP_URL")?,
            token: token.map(Secret::new),
            sample,
        })
    }

    /// A part of a whole.
    fn share(&mut self, name: &str, usual: f64) -> f64 {
        let share = self.parsed(name, "a number from 0 to 1", usual);
        if (0.0..=1.0).contains(&share) {
            return share;
        }
        self.problems.push(format!(
            "TANYA_{name} is {share}; it must be a number from 0 to 1"
        ));
        usual
    }
}
