//! The shape of `calendar.yaml`, with the place of each value. What the values mean is checked elsewhere.

use std::collections::HashMap;

use serde::Deserialize;
use serde_yaml::Spanned;

use super::error::{CalendarError, cut};
use super::holiday::Name;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarYaml {
    pub version: Spanned<u64>,
    #[serde(default)]
    pub sample: bool,
    pub working_week: Spanned<Vec<Spanned<String>>>,
    pub charter: Spanned<CharterYaml>,
    pub hours: Option<Spanned<HoursYaml>>,
    pub special_periods: Option<Vec<Spanned<PeriodYaml>>>,
    pub holidays: Option<Vec<Spanned<HolidayYaml>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterYaml {
    pub acknowledge: u32,
    pub answer: u32,
}

pub type HoursYaml = HashMap<Spanned<String>, Option<Spanned<BlocksYaml>>>;
pub type BlocksYaml = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodYaml {
    pub name: NameYaml,
    pub from: Spanned<String>,
    pub to: Spanned<String>,
    pub hours: Spanned<HoursYaml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolidayYaml {
    pub name: NameYaml,
    pub date: Option<Spanned<String>>,
    pub from: Option<Spanned<String>>,
    pub to: Option<Spanned<String>>,
    pub hours: Option<Spanned<BlocksYaml>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameYaml {
    pub ms: String,
    pub en: String,
}

impl NameYaml {
    pub fn name(self) -> Name {
        Name {
            ms: self.ms.trim().to_owned(),
            en: self.en.trim().to_owned(),
        }
    }
}

/// Reads the text of a file, within bounds on its size, depth and aliases.
pub fn read(yaml: &str) -> Result<CalendarYaml, CalendarError> {
    if yaml.len() > MAX_BYTES {
        return Err(CalendarError::too_large());
    }
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: 16,
            max_aliases: 64,
            max_anchors: 64,
            max_events: 2 * MAX_BYTES,
            max_nodes: MAX_BYTES,
            max_total_scalar_bytes: 2 * MAX_BYTES,
            max_total_comment_bytes: MAX_BYTES,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
    };
    serde_yaml::from_str_with_options(yaml, options).map_err(|error| {
        let error = error.without_snippet();
        let at = error.location().unwrap_or(serde_yaml::Location::UNKNOWN);
        let full = error.to_string();
        let message = full.lines().next().unwrap_or("cannot be read");
        let place = format!(" at line {}, column {}", at.line(), at.column());
        let message = message.strip_suffix(&place).unwrap_or(message);
        let repair = "mend this place as the examples in the shipped calendar.yaml show";
        CalendarError::new(at.line(), cut(message, 300), repair)
    })
}

/// Where a value stands.
pub fn line<T>(at: &Spanned<T>) -> u64 {
    at.referenced.line()
}
