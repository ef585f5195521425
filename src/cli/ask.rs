//! `tanya ask`: one question, answered on the terminal.

use super::{AskArgs, Failure, Outcome, Output, language};
use crate::config::Settings;
use crate::knowledge::answer::Answer;
use crate::knowledge::ask::{Finding, ask, askable};
use crate::knowledge::router;
use crate::knowledge::{Knowledge, Strictness};

pub fn run(settings: &Settings, args: &AskArgs, out: &mut Output) -> Outcome {
    let text = args.text.join(" ");
    askable(&text).map_err(|error| Failure::Usage(error.to_string()))?;
    let knowledge = args.knowledge.load(settings, Strictness::Full, out)?;
    let finding = ask(&knowledge, &text, language(args.lang.as_deref()).into())?;
    if args.json {
        out.json(&finding)?;
    } else {
        print(&knowledge, &finding, out);
    }
    Ok(())
}

fn print(knowledge: &Knowledge, finding: &Finding, out: &mut Output) {
    let messages = knowledge.messages();
    match finding.outcome {
        router::Outcome::Answer => {
            if let Some(answer) = &finding.answer {
                print_answer(answer, out);
            }
        }
        router::Outcome::Clarify => {
            out.say(messages.clarify.get(finding.lang));
            for (number, candidate) in finding.candidates.iter().enumerate() {
                out.say(&format!("  {}. {}", number + 1, candidate.label));
            }
        }
        router::Outcome::Fallback => {
            let fallback = messages.fallback.get(finding.lang);
            out.say(&knowledge.contacts().fill(fallback));
        }
    }
}

fn print_answer(answer: &Answer, out: &mut Output) {
    let title = out.bold(&answer.title);
    out.say(&title);
    out.say("");
    out.say(&answer.plain_text());
    if !answer.links.is_empty() {
        out.say("");
    }
    for link in &answer.links {
        out.say(&format!("{}: {}", link.label, link.url));
    }
    if let Some(source) = &answer.source {
        let reviewed = answer.reviewed.as_deref().unwrap_or("–");
        out.say(&format!("\n[{} · {reviewed}]", source.title));
    }
}
