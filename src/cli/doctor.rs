//! `tanya doctor`: what is right, what is wrong and what to do, beside a running server or before the first start.

use std::path::Path;

use serde::Serialize;

use super::{Failure, Outcome, Output};
use crate::clock::Clock;
use crate::config::{Mode, Settings};
use crate::doctor::{Doctor, Finding, State, worst};
use crate::mail::OfficeAddress;

#[derive(Serialize)]
struct Report {
    state: State,
    findings: Vec<Finding>,
}

pub fn run(config: Option<&Path>, json: bool, mail_to: Option<&str>, out: &mut Output) -> Outcome {
    let mail_to = match mail_to {
        None => None,
        Some(text) => Some(
            OfficeAddress::parse(text)
                .ok_or_else(|| Failure::Usage("--mail-to must be one e-mail address".to_owned()))?,
        ),
    };
    if let Some(file) = config.filter(|file| !file.exists()) {
        return Err(Failure::Usage(format!("{} is not there", file.display())));
    }
    let (settings, problems) = Settings::examine(config, Mode::Serve);
    let doctor = Doctor {
        settings: &settings,
        problems: &problems,
        mail_to: mail_to.as_ref(),
        clock: Clock::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let findings = runtime.block_on(doctor.examine());
    // A lookup that hangs in the system is not waited for.
    runtime.shutdown_background();
    let state = worst(&findings);
    if json {
        out.json(&Report { state, findings })?;
    } else {
        for finding in &findings {
            tell(finding, out);
        }
    }
    match state {
        State::Ok | State::Warning => Ok(()),
        State::Wrong => Err(Failure::Said),
    }
}

fn tell(finding: &Finding, out: &mut Output) {
    let state = finding.state.as_str();
    let state = match finding.state {
        State::Ok => state.to_owned(),
        State::Warning | State::Wrong => out.bold(state),
    };
    out.say(&format!("{state:<7}  {}: {}", finding.check, finding.found));
    if let Some(repair) = &finding.repair {
        out.say(&format!("         → {repair}"));
    }
}
