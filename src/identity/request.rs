//! What a chat asks a proof for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that only its person may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A password reset at the portal.
    LupaKataLaluan,
    /// An activation at the portal.
    Daftar,
    /// A payslip.
    SlipGaji,
    /// An annual statement.
    PenyataTahunan,
    /// A look at the person's own sessions.
    Sesi,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::LupaKataLaluan,
        Self::Daftar,
        Self::SlipGaji,
        Self::PenyataTahunan,
        Self::Sesi,
    ];

    /// The name as stored, and as the knowledge has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LupaKataLaluan => "lupa-kata-laluan",
            Self::Daftar => "daftar",
            Self::SlipGaji => "slip-gaji",
            Self::PenyataTahunan => "penyata-tahunan",
            Self::Sesi => "sesi",
        }
    }

    /// The action of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// Whether it gives a document.
    pub fn is_document(self) -> bool {
        matches!(self, Self::SlipGaji | Self::PenyataTahunan)
    }
}

/// What is asked: something to be done, of a month or year where it is about one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What.
    pub action: Action,
    /// Of when: `2026-10`, or `2025`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
}

impl Request {
    /// Reads what was stored.
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// As stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
