//! `tanya chat`: a conversation on the terminal, through the same engine as every other channel.

use std::io::{self, BufRead, IsTerminal};

use super::{Beside, Outcome, Output};
use crate::config::Settings;
use crate::conversation::message::{Channel, Content, Incoming, Kind, Message, Sender};
use crate::conversation::{Engine, EngineError};
use crate::knowledge::text::Language;
use uuid::Uuid;

pub fn run(settings: &Settings, language: Language, out: &mut Output) -> Outcome {
    Beside::run(settings, out, async |beside, out| {
        talk(&beside.core.engine, language, out).await
    })
}

async fn talk(engine: &Engine, language: Language, out: &mut Output) -> Outcome {
    let begun = engine.begin(Channel::Terminal, language).await?;
    show(&begun.replies, out);
    let prompt = io::stdin().is_terminal();
    loop {
        if prompt {
            out.ask("> ");
        }
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            break;
        }
        let incoming = Incoming {
            client_id: Uuid::new_v4(),
            content: Content::Text(line.trim().to_owned()),
            receipt: None,
            original: None,
            who: None,
            network: None,
        };
        match engine.handle(&begun.id, incoming).await {
            Ok(replies) => show(&replies, out),
            Err(EngineError::Unaskable(_)) => {}
            // Everything was deleted, and the conversation with it.
            Err(EngineError::Gone) => return Ok(()),
            Err(EngineError::TooFast { wait }) => tokio::time::sleep(wait).await,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(engine.end(&begun.id).await?)
}

/// Shows what was said, with what can be chosen numbered: typing the number chooses.
fn show(messages: &[Message], out: &mut Output) {
    for message in messages.iter().filter(|it| it.from != Sender::User) {
        out.say("");
        let title = message.body.answer.as_ref();
        let title = title.and_then(|answer| answer.get("title")?.as_str());
        if let Some(title) = title.filter(|_| message.body.kind == Kind::Answer) {
            let title = out.bold(title);
            out.say(&title);
        }
        out.say(&message.body.text);
        for (place, choice) in message.body.choices.iter().enumerate() {
            out.say(&format!("  [{}] {}", place + 1, choice.label));
        }
    }
    out.say("");
}
