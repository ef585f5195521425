//! The two languages that everything is said in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language that the product speaks. Malay is the default, as it is the treasury's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Bahasa Melayu.
    #[default]
    Ms,
    /// English.
    En,
}

impl Language {
    /// The tag as it stands in files, in the interface and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::En => "en",
        }
    }

    /// Reads a tag; anything but the two known ones is none.
    pub fn parse(tag: &str) -> Option<Self> {
        match tag {
            "ms" => Some(Self::Ms),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// The same thing said in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localised<T> {
    /// In Malay.
    pub ms: T,
    /// In English.
    pub en: T,
}

impl<T> Localised<T> {
    /// The version in `language`.
    pub fn get(&self, language: Language) -> &T {
        match language {
            Language::Ms => &self.ms,
            Language::En => &self.en,
        }
    }
}

impl<T: Clone> Localised<T> {
    /// One text that serves both languages, as in a knowledge file that gives a plain string.
    pub fn same(value: T) -> Self {
        Self {
            ms: value.clone(),
            en: value,
        }
    }
}
