//! What became of an officer's act, as the page that follows tells it.

use crate::web::console::view::Words;

/// What was done, or why it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A reply went out.
    Replied,
    /// A reply went out, and the ticket is resolved.
    Resolved,
    /// A note was kept.
    Noted,
    /// The chat is the officer's.
    Taken,
    /// The chat is the bot's again.
    HandedBack,
    /// The ticket was changed.
    Edited,
    /// Nothing: another officer holds the chat.
    HeldByOther,
    /// Nothing: the ticket is not any more what the officer saw.
    Outdated,
    /// Nothing: the chat is over.
    ChatOver,
}

impl Done {
    const ALL: [Self; 9] = [
        Self::Replied,
        Self::Resolved,
        Self::Noted,
        Self::Taken,
        Self::HandedBack,
        Self::Edited,
        Self::HeldByOther,
        Self::Outdated,
        Self::ChatOver,
    ];

    /// Its name in the page's address.
    pub fn code(self) -> &'static str {
        match self {
            Self::Replied => "balas",
            Self::Resolved => "selesai",
            Self::Noted => "nota",
            Self::Taken => "ambil",
            Self::HandedBack => "serah",
            Self::Edited => "ubah",
            Self::HeldByOther => "dipegang",
            Self::Outdated => "berubah",
            Self::ChatOver => "tiada-sembang",
        }
    }

    /// Reads the name from an address.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.code() == code)
    }

    /// Whether nothing was done.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::HeldByOther | Self::Outdated | Self::ChatOver)
    }

    /// The same as a sentence.
    pub fn text(self, w: &Words) -> &'static str {
        match self {
            Self::Replied => w.t("Balasan telah dihantar.", "The reply was sent."),
            Self::Resolved => w.t("Tiket telah diselesaikan.", "The ticket was resolved."),
            Self::Noted => w.t("Nota telah disimpan.", "The note was saved."),
            Self::Taken => w.t(
                "Sembang kini milik tuan/puan; Tanya diam.",
                "The chat is yours now; Tanya is silent.",
            ),
            Self::HandedBack => w.t(
                "Sembang telah diserahkan kepada Tanya.",
                "The chat was handed back to Tanya.",
            ),
            Self::Edited => w.t("Perubahan telah disimpan.", "The change was saved."),
            Self::HeldByOther => w.t(
                "Pegawai lain sedang memegang sembang ini.",
                "Another officer holds this chat.",
            ),
            Self::Outdated => w.t(
                "Tiket ini telah diubah oleh orang lain. Sila semak dahulu.",
                "Somebody else changed this ticket. Please look first.",
            ),
            Self::ChatOver => w.t("Sembang ini telah tamat.", "This chat is over."),
        }
    }
}
