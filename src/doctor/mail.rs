//! The mail server: whether it answers, over TLS, and takes user and password; a test mail only when it is asked for.

use std::time::Duration;

use uuid::Uuid;

use super::{Doctor, Finding};
use crate::mail::smtp::Smtp;
use crate::mail::{Mailer, OfficeAddress, Recipient, Source, Unsent, Written};

const CHECK: &str = "mail";
/// A greeting, and a mail if one is wanted.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

impl Doctor<'_> {
    pub(super) async fn mail(&self) -> Vec<Finding> {
        if self.is_unset("TANYA_SMTP_URL") || self.is_unset("TANYA_SMTP_CA") {
            return Vec::new();
        }
        let Some(smtp) = &self.settings.smtp else {
            return Vec::new();
        };
        let host = self.settings.public_url.as_ref();
        let host = host.and_then(|url| url.host_str()).unwrap_or("localhost");
        let Ok(smtp) = Smtp::parse(smtp.url.reveal(), smtp.ca.as_deref(), host) else {
            return Vec::new();
        };
        let greeting = tokio::time::timeout(super::LIMIT, smtp.examine()).await;
        let mut findings = vec![match greeting.unwrap_or(Err(Unsent::NotNow)) {
            Ok(greeting) => greeted(&smtp, greeting.secured, greeting.signed_in),
            Err(refused) => unsent(refused),
        }];
        let well = findings.iter().all(|it| it.state != super::State::Wrong);
        if let Some(to) = self.mail_to.filter(|_| well) {
            findings.push(self.test_mail(smtp, to, host).await);
        }
        findings
    }

    async fn test_mail(&self, smtp: Smtp, to: &OfficeAddress, host: &str) -> Finding {
        const CHECK: &str = "test mail";
        let mailer = Mailer::smtp(smtp, &self.settings.mail_from, host);
        let (Ok(mailer), Some(to)) = (mailer, Recipient::of(Source::Office(to))) else {
            let repair = "set TANYA_MAIL_FROM, and give another address";
            return Finding::wrong(CHECK, "it cannot be made", repair);
        };
        let written = Written {
            subject: "Tanya: e-mel ujian / test mail".to_owned(),
            text: "Ini e-mel ujian daripada `tanya doctor`. Tiada tindakan diperlukan.\n\n\
                   This is a test mail from `tanya doctor`. Nothing needs to be done.\n"
                .to_owned(),
        };
        let id = format!("doctor-{}", Uuid::new_v4());
        match mailer.send(&to, &written, &id, self.clock.now()).await {
            Ok(()) => Finding::ok(CHECK, "the server took it; see that it arrives"),
            Err(refused) => Finding {
                check: CHECK,
                ..unsent(refused)
            },
        }
    }
}

fn greeted(smtp: &Smtp, secured: bool, signed_in: bool) -> Finding {
    let user = if signed_in {
        "user and password taken"
    } else {
        "without user and password"
    };
    if secured {
        return Finding::ok(CHECK, format!("it answers over TLS, {user}"));
    }
    if smtp.is_here() {
        return Finding::ok(CHECK, format!("it answers on this machine, {user}"));
    }
    Finding::warning(
        CHECK,
        format!("it answers without TLS, {user}: mails can be read on their way to it"),
        "use smtps://, or ?tls=required in TANYA_SMTP_URL",
    )
}

fn unsent(refused: Unsent) -> Finding {
    let (found, repair) = match refused {
        Unsent::Unreached | Unsent::NotNow | Unsent::Lost => (
            "it cannot be reached, or does not answer in time",
            "see that host and port of TANYA_SMTP_URL are right, and that the firewall lets this machine through",
        ),
        Unsent::Disagreed => (
            "its certificate is not trusted, it offers no TLS, or it does not take user and password",
            "see TANYA_SMTP_URL, and TANYA_SMTP_CA where the authority is your own",
        ),
        Unsent::Refused => (
            "it refuses the mail",
            "see that it lets this machine send as TANYA_MAIL_FROM",
        ),
        Unsent::Unmade => ("the mail cannot be made", "see TANYA_MAIL_FROM"),
    };
    Finding::wrong(CHECK, found, repair)
}
