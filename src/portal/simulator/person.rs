//! A person as the portal knows them: who they are, what may change while the sample runs, and how they are told.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::period::Month;

/// In which role somebody is known to the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// On the state's payroll, or about to be.
    Staff,
    /// Paid by the state for goods or services.
    Supplier,
}

/// How far the portal account of somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Never registered.
    None,
    /// Registered, but the first password is not chosen yet.
    Pending,
    /// In use.
    Active,
}

/// Whether somebody's salary is paid through module PY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payroll {
    /// Paid through module PY.
    Py,
    /// Not paid through it: a supplier, a new appointee, a MySTEP worker.
    None,
}

/// Who sends the one-time password or link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The portal mails it.
    Portal,
    /// The portal hands out a link and the helpdesk mails that.
    Helpdesk,
}

/// Where somebody stands with the portal, and what they are in the sample for.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Still in service, or still trading.
    pub active: bool,
    /// How far the account is.
    pub account: Account,
    /// Whether the salary comes through module PY.
    pub payroll: Payroll,
    /// Months in service when the sample starts, if that is short enough to matter.
    pub months_in_service: Option<i32>,
    /// What the person is for, for whoever reads the list.
    pub note: &'static str,
}

/// One person, as of now.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// Opaque and the same after a restart.
    #[serde(rename = "ref")]
    pub reference: String,
    /// In which role.
    pub kind: Kind,
    /// The full name.
    pub name: &'static str,
    /// The responsibility centre; suppliers have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ptj: Option<&'static str>,
    /// The registered address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Still in service, or still trading.
    pub active: bool,
    /// How far the account is.
    pub account: Account,
    /// Whether the salary comes through module PY.
    pub payroll: Payroll,
    /// Identity number or company id. The answers never carry it.
    #[serde(skip)]
    pub id_no: &'static str,
    /// The first month with a salary.
    #[serde(skip)]
    pub first_month: Month,
    /// What the person is for.
    #[serde(skip)]
    pub note: &'static str,
}

/// What `PATCH /people/{ref}` may change.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// A new address; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    email: Option<Option<String>>,
    active: Option<bool>,
    account: Option<Account>,
    payroll: Option<Payroll>,
}

/// Tells a field that says `null` from one that is not there.
fn given<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

impl Person {
    /// Whether this is the person of that role and number, however the number is spaced.
    pub fn is(&self, kind: Kind, id_no: &str) -> bool {
        self.kind == kind && bare(self.id_no) == bare(id_no)
    }

    /// Who sends this person's one-time password: for about one in three it is the helpdesk.
    pub fn delivery(&self) -> Delivery {
        if self.seed().is_multiple_of(3) {
            Delivery::Helpdesk
        } else {
            Delivery::Portal
        }
    }

    /// A number that is this person's for ever, to invent amounts from.
    pub fn seed(&self) -> u64 {
        seed(self.kind, self.id_no)
    }

    /// The number with all but its last four characters hidden.
    pub fn masked_id_no(&self) -> String {
        let hidden = self.id_no.chars().count().saturating_sub(4);
        let shown = self.id_no.chars().skip(hidden);
        "*".repeat(hidden).chars().chain(shown).collect()
    }

    /// Applies a change.
    pub fn apply(&mut self, change: Change) {
        if let Some(email) = change.email {
            self.email = email;
        }
        self.active = change.active.unwrap_or(self.active);
        self.account = change.account.unwrap_or(self.account);
        self.payroll = change.payroll.unwrap_or(self.payroll);
    }
}

/// The opaque name of somebody in one role.
pub fn reference(kind: Kind, id_no: &str) -> String {
    format!("p_{:016x}", seed(kind, id_no))
}

fn seed(kind: Kind, id_no: &str) -> u64 {
    let role = match kind {
        Kind::Staff => "staff",
        Kind::Supplier => "supplier",
    };
    let digest = Sha256::digest(format!("portal-simulator/{role}/{}", bare(id_no)));
    let first = digest.iter().take(8);
    first.fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

fn bare(id_no: &str) -> String {
    let letters = id_no.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}
