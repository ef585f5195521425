//! `tanya chat`: a conversation on the terminal, through the same engine as every other channel.

use std::io::{self, BufRead, IsTerminal};
use std::sync::Arc;

use super::{Failure, Outcome, Output, load_options};
use crate::app;
use crate::clock::Clock;
use crate::config::Settings;
use crate::conversation::message::{Channel, Content, Incoming, Kind, Message, Sender};
use crate::conversation::{Engine, EngineError};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::source::Source;
use crate::knowledge::text::Language;
use crate::storage::Store;
use uuid::Uuid;

pub fn run(settings: &Settings, language: Language, out: &mut Output) -> Outcome {
    let clock = Clock::shifted(settings.clock_offset_ms);
    let source = Source::folder_or_embedded(&settings.knowledge_dir);
    let loaded = LiveKnowledge::start(source, load_options(settings), clock.clone());
    let (knowledge, _) = loaded.map_err(|problems| {
        for problem in &problems {
            out.complain(&problem.to_string());
        }
        Failure::Said
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Beside a server that runs on the same database: it is there for as long as somebody types.
        let store = Arc::new(Store::open_beside(&settings.database_url).await?);
        let parts = app::Parts {
            store: Arc::clone(&store),
            knowledge,
            clock,
            public_url: String::new(),
            portal: None,
        };
        let core = app::core(settings, parts).await?;
        let talked = talk(&core.engine, language, out).await;
        store.close().await;
        talked
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
