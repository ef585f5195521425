//! The records of the sample portal: its people, what it mailed, its links. One caller at a time, so that the same
//! call twice at once still has one effect.

use jiff::civil::Date;

use super::effect::{Answer, Call, Effect, Outcome, Outcomes};
use super::link::{Link, Links, Purpose, Target};
use super::mail::{Letter, Outgoing, Reason, SimulatedMail};
use super::password::TemporaryPasswords;
use super::people;
use super::period::{self, Month};
use super::person::{Account, Change, Delivery, Kind, Payroll, Person};
use super::problem::Code;
use crate::clock::Millis;

/// When and where a call comes in.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Now.
    pub now: Millis,
    /// Today in Kelantan.
    pub today: Date,
    /// Where the portal is, without a slash at the end.
    pub base_url: &'a str,
}

/// Everything that changes while the sample runs.
#[derive(Debug)]
pub struct Records {
    people: Vec<Person>,
    mails: Outgoing,
    links: Links,
    passwords: TemporaryPasswords,
    outcomes: Outcomes,
}

/// Somebody's document, ready to be printed.
#[derive(Clone, Debug)]
pub struct Document {
    /// Whose it is.
    pub person: Person,
    /// Which it is.
    pub purpose: Purpose,
}

impl Records {
    /// The records as they are when the sample starts.
    pub fn new(today: Date) -> Self {
        Self {
            people: people::everybody(Month::of(today)),
            mails: Outgoing::default(),
            links: Links::default(),
            passwords: TemporaryPasswords::default(),
            outcomes: Outcomes::default(),
        }
    }

    /// Everybody, in the order of the sample.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// What was mailed, oldest first.
    pub fn mails(&self) -> Vec<SimulatedMail> {
        self.mails.all()
    }

    /// Somebody by role and number.
    pub fn lookup(&self, kind: Kind, id_no: &str) -> Result<&Person, Code> {
        let mut people = self.people.iter();
        people
            .find(|person| person.is(kind, id_no))
            .ok_or(Code::NotFound)
    }

    /// Somebody by their opaque name.
    pub fn person(&self, reference: &str) -> Result<&Person, Code> {
        let mut people = self.people.iter();
        people
            .find(|person| person.reference == reference)
            .ok_or(Code::NotFound)
    }

    /// Changes somebody, and tells how they are then.
    pub fn change(&mut self, reference: &str, change: Change) -> Result<&Person, Code> {
        let mut people = self.people.iter_mut();
        let found = people.find(|person| person.reference == reference);
        let person = found.ok_or(Code::NotFound)?;
        person.apply(change);
        Ok(person)
    }

    /// The months with a payslip for somebody.
    pub fn payslips(&self, reference: &str, today: Date) -> Result<Vec<Month>, Code> {
        let person = in_service(self.person(reference)?)?;
        Ok(match person.payroll {
            Payroll::Py => period::payslips(today, person.first_month),
            Payroll::None => Vec::new(),
        })
    }

    /// The years with an annual statement for somebody.
    pub fn statements(&self, reference: &str, today: Date) -> Result<Vec<i32>, Code> {
        let person = in_service(self.person(reference)?)?;
        Ok(match person.payroll {
            Payroll::Py => period::statements(today, person.first_month),
            Payroll::None => Vec::new(),
        })
    }

    /// Whether this call was made before; if so, what came of it.
    pub fn outcome(&self, call: &Call) -> Option<Outcome> {
        self.outcomes.of(call)
    }

    /// Does what a call asks for and remembers the outcome, unless there was nothing under the address.
    pub fn perform(&mut self, call: Call, at: Circumstances<'_>) -> Outcome {
        let outcome = match &call.effect {
            Effect::PasswordReset => self.reset_password(&call.reference, at),
            Effect::Activation => self.activate(&call.reference, at),
            Effect::PayslipLink(month) => self.payslip_link(&call.reference, month, at),
            Effect::StatementLink(year) => self.statement_link(&call.reference, year, at),
        };
        if !matches!(outcome, Err(Code::NotFound | Code::NoDocument)) {
            self.outcomes.remember(call, outcome.clone());
        }
        outcome
    }

    fn reset_password(&mut self, reference: &str, at: Circumstances<'_>) -> Outcome {
        let person = self.person(reference)?;
        if !person.active {
            return Err(Code::Inactive);
        }
        if person.account == Account::None {
            return Err(Code::NoAccount);
        }
        self.deliver(reference, Reason::Reset, at)
    }

    fn activate(&mut self, reference: &str, at: Circumstances<'_>) -> Outcome {
        let person = self.person(reference)?;
        if !person.active {
            return Err(Code::Inactive);
        }
        if person.kind == Kind::Staff && person.payroll == Payroll::None {
            return Err(Code::NotInPayroll);
        }
        if person.account == Account::Active {
            return Err(Code::AlreadyActive);
        }
        let answer = self.deliver(reference, Reason::Activation, at)?;
        self.set_account(reference, Account::Pending);
        Ok(answer)
    }

    fn deliver(&mut self, reference: &str, reason: Reason, at: Circumstances<'_>) -> Outcome {
        let person = self.person(reference)?.clone();
        let email = person.email.as_deref().ok_or(Code::NoEmail)?;
        match person.delivery() {
            Delivery::Helpdesk => {
                let link = self.link(reference, Purpose::Password, at);
                Ok(Answer::ToMail(link))
            }
            Delivery::Portal => {
                let password = self.passwords.make(reference, at.now);
                let letter = Letter {
                    person: &person,
                    reason,
                    password: &password,
                    portal: at.base_url,
                };
                self.mails.temporary_password(email, &letter, at.now);
                Ok(Answer::Mailed)
            }
        }
    }

    fn payslip_link(&mut self, reference: &str, month: &str, at: Circumstances<'_>) -> Outcome {
        let months = self.payslips(reference, at.today)?;
        let asked = months.into_iter().find(|kept| kept.to_string() == month);
        let purpose = Purpose::Payslip(asked.ok_or(Code::NoDocument)?);
        Ok(Answer::Document(self.link(reference, purpose, at)))
    }

    fn statement_link(&mut self, reference: &str, year: &str, at: Circumstances<'_>) -> Outcome {
        let years = self.statements(reference, at.today)?;
        let asked = years.into_iter().find(|kept| kept.to_string() == year);
        let purpose = Purpose::Statement(asked.ok_or(Code::NoDocument)?);
        Ok(Answer::Document(self.link(reference, purpose, at)))
    }

    fn link(&mut self, reference: &str, purpose: Purpose, at: Circumstances<'_>) -> Link {
        let target = Target {
            reference: reference.to_owned(),
            purpose,
        };
        self.links.make(target, at.base_url, at.now)
    }

    /// What a living document link leads to; spends nothing.
    pub fn see_document(&self, token: &str, now: Millis) -> Option<Document> {
        self.document(self.links.look(token, now)?)
    }

    /// What a document link leads to, for the first caller in time only.
    pub fn take_document(&mut self, token: &str, now: Millis) -> Option<Document> {
        self.see_document(token, now)?;
        let target = self.links.spend(token, now)?;
        self.document(&target)
    }

    fn document(&self, target: &Target) -> Option<Document> {
        let is_document = target.purpose != Purpose::Password;
        let person = self
            .person(&target.reference)
            .ok()
            .filter(|_| is_document)?;
        Some(Document {
            person: person.clone(),
            purpose: target.purpose.clone(),
        })
    }

    /// Whose password a living link lets choose; spends nothing.
    pub fn see_password_page(&self, token: &str, now: Millis) -> Option<&Person> {
        let target = self.links.look(token, now)?;
        let person = self.person(&target.reference).ok()?;
        (target.purpose == Purpose::Password && person.active).then_some(person)
    }

    /// Takes the chosen password, once; the account is active then.
    pub fn choose_password(&mut self, token: &str, now: Millis) -> bool {
        if self.see_password_page(token, now).is_none() {
            return false;
        }
        let Some(target) = self.links.spend(token, now) else {
            return false;
        };
        self.set_account(&target.reference, Account::Active);
        true
    }

    /// Logs somebody in with a temporary password, once; the account is active then.
    pub fn log_in(&mut self, id_no: &str, password: &str, now: Millis) -> bool {
        let staff = self.lookup(Kind::Staff, id_no).ok();
        let supplier = self.lookup(Kind::Supplier, id_no).ok();
        let people = staff.into_iter().chain(supplier);
        let active = people.filter(|person| person.active);
        let references: Vec<String> = active.map(|person| person.reference.clone()).collect();
        for reference in references {
            if self.passwords.spend(&reference, password, now) {
                self.set_account(&reference, Account::Active);
                return true;
            }
        }
        false
    }

    fn set_account(&mut self, reference: &str, account: Account) {
        let mut people = self.people.iter_mut();
        if let Some(person) = people.find(|person| person.reference == reference) {
            person.account = account;
        }
    }
}

/// Staff who have not left; suppliers have neither payslips nor statements.
fn in_service(person: &Person) -> Result<&Person, Code> {
    if person.kind == Kind::Supplier {
        return Err(Code::NotStaff);
    }
    if !person.active {
        return Err(Code::Inactive);
    }
    Ok(person)
}
