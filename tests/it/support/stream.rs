//! A reader of server-sent events, as small as a browser's.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Response;
use serde_json::Value;

/// One event.
#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub id: Option<i64>,
    pub data: Value,
}

/// An open stream.
pub struct EventStream {
    bytes: std::pin::Pin<Box<dyn futures_util::Stream<Item = Vec<u8>> + Send>>,
    text: String,
}

impl EventStream {
    pub fn new(response: Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let bytes = response
            .bytes_stream()
            .map(|chunk| chunk.unwrap_or_default().to_vec());
        Self {
            bytes: Box::pin(bytes),
            text: String::new(),
        }
    }

    /// The next event that is no comment; none when the stream ends.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.bytes.next());
            let chunk = chunk.await.expect("an event within 20 s")?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next message, whatever else comes before it.
    pub async fn message(&mut self) -> Value {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.name == "message" {
                assert_eq!(event.id, event.data["seq"].as_i64());
                return event.data;
            }
            assert_eq!(event.id, None);
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let lines = block.lines();
        let values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        values.map(str::to_owned).next()
    };
    Some(Event {
        name: field("event")?,
        id: field("id").map(|id| id.parse().unwrap()),
        data: serde_json::from_str(&field("data")?).unwrap(),
    })
}
