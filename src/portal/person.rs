//! People as the portal knows them. An address can only come from there: one type, one constructor.

use serde::Deserialize;

use crate::identity::number::Kind;

/// An e-mail address on the portal's record.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredAddress(String);

impl std::fmt::Debug for RegisteredAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RegisteredAddress")
    }
}

/// The longest address that mail servers take (RFC 5321, 4.5.3.1.3).
const LONGEST: usize = 254;

impl RegisteredAddress {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | '"');
        let good = !local.is_empty() && domain.contains('.') && text.chars().all(plain);
        (good && text.len() <= LONGEST).then(|| Self(text.to_owned()))
    }

    /// The address, for the one who sends.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// As its owner recognises it: `a•••@g•••.com`. Only for who proved to be the owner.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let (name, rest) = domain.split_once('.').unwrap_or((domain, ""));
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        format!("{}•••@{}•••.{rest}", first(local), first(name))
    }
}

/// Whether somebody has an account at the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// None.
    None,
    /// One that was never used.
    Pending,
    /// One that is used.
    Active,
}

/// Whether somebody is paid through the module that the portal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payroll {
    /// Through Modul PY.
    Py,
    /// Not.
    None,
}

/// A person as the portal answers.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PersonAnswer {
    r#ref: String,
    kind: Kind,
    name: String,
    #[serde(default)]
    ptj: Option<String>,
    #[serde(default)]
    email: Option<String>,
    active: bool,
    account: Account,
    payroll: Payroll,
}

/// A person whom the portal knows.
#[derive(Clone, Debug)]
pub struct Person {
    /// The portal's own name for the person.
    pub reference: String,
    /// As whom.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// Where they work.
    pub ptj: Option<String>,
    /// The address on record.
    pub address: Option<RegisteredAddress>,
    /// Whether the portal serves them.
    pub active: bool,
    /// Whether they have an account.
    pub account: Account,
    /// Whether they are paid through Modul PY.
    pub payroll: Payroll,
}

/// The longest reference that goes into an address of the portal's.
const REFERENCE: usize = 128;

impl PersonAnswer {
    /// The person, if the answer can be about one of this kind.
    pub(super) fn read(self, kind: Kind) -> Option<Person> {
        let reference = self.r#ref;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        let named = !reference.is_empty()
            && reference.len() <= REFERENCE
            && reference.chars().all(plain)
            && !reference.starts_with('.');
        (named && self.kind == kind).then(|| Person {
            reference,
            kind,
            name: self.name,
            ptj: self.ptj,
            address: self.email.as_deref().and_then(RegisteredAddress::parse),
            active: self.active,
            account: self.account,
            payroll: self.payroll,
        })
    }
}

/// Somebody on the state's payroll: only staff have payslips and statements.
#[derive(Clone, Debug)]
pub struct Staff<'a>(&'a Person);

impl Person {
    /// The person as staff; none for a supplier.
    pub fn staff(&self) -> Option<Staff<'_>> {
        (self.kind == Kind::Staff).then_some(Staff(self))
    }
}

impl Staff<'_> {
    pub(super) fn reference(&self) -> &str {
        &self.0.reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_22_an_address_is_one_address_or_none() {
        for good in ["aminah@kelantan.example", "a.b+c@x.y.example"] {
            assert!(RegisteredAddress::parse(good).is_some());
        }
        for bad in [
            "",
            "aminah",
            "a@b",
            "@x.example",
            "a@x.example,b@y.example",
            "a@x.example\r\nBcc: b@y.example",
            "A <a@x.example>",
            "a b@x.example",
        ] {
            assert!(RegisteredAddress::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ac_15_an_address_is_shown_so_that_only_its_owner_knows_it() {
        let address = RegisteredAddress::parse("aminah.zakaria@kelantan.gov.example").unwrap();
        assert_eq!(address.masked(), "a•••@k•••.gov.example");
        assert_eq!(format!("{address:?}"), "RegisteredAddress");
    }

    #[test]
    fn ac_57_a_supplier_is_no_staff() {
        let answer = |kind: &str| -> Person {
            let json = serde_json::json!({
                "ref": "p_1", "kind": kind, "name": "X", "active": true, "account": "active", "payroll": "none"
            });
            let answer: PersonAnswer = serde_json::from_value(json).unwrap();
            let kind = Kind::parse(kind).unwrap();
            answer.read(kind).unwrap()
        };
        assert!(answer("supplier").staff().is_none());
        assert!(answer("staff").staff().is_some());
    }
}
