//! A collector of traces as the program meets it: it takes OTLP over HTTP and keeps what came, as it came.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use tokio::runtime::Builder;

/// What it wants of who hands spans over.
pub const TOKEN: &str = "a-token-for-the-collector";

/// A request to it.
struct Handed {
    bearer: String,
    body: Bytes,
}

/// A span as it came.
#[derive(Clone, Debug)]
pub struct Came {
    pub name: String,
    pub trace: Vec<u8>,
    pub id: Vec<u8>,
    pub parent: Vec<u8>,
    pub facts: BTreeMap<String, String>,
    pub events: usize,
    pub nanoseconds: u64,
}

impl Came {
    /// What is said of it under this name; nothing if nothing is.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map_or("", String::as_str)
    }
}

/// The collector, as a story holds it.
pub struct Collector {
    url: String,
    handed: Arc<Mutex<Vec<Handed>>>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let handed = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&handed));
        // On a thread of its own: a story waits for the program's end, which brings the last spans.
        std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { url, handed }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What every request to it proved itself with.
    pub fn bearers(&self) -> Vec<String> {
        let handed = self.handed.lock().unwrap();
        handed.iter().map(|it| it.bearer.clone()).collect()
    }

    /// Everything that came, as bytes; what is no text is replaced, and hides none.
    pub fn text(&self) -> String {
        let handed = self.handed.lock().unwrap();
        let bodies = handed.iter().map(|it| String::from_utf8_lossy(&it.body));
        bodies.collect::<Vec<_>>().join("\n")
    }

    /// What the spans say of who made them.
    pub fn makers(&self) -> Vec<BTreeMap<String, String>> {
        let requests = self.requests().into_iter();
        let groups = requests.flat_map(|request| request.resource_spans);
        groups
            .map(|group| facts(group.resource.unwrap().attributes))
            .collect()
    }

    /// The spans that came.
    pub fn spans(&self) -> Vec<Came> {
        let requests = self.requests().into_iter();
        let groups = requests.flat_map(|request| request.resource_spans);
        let scopes = groups.flat_map(|group| group.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        spans
            .map(|span| Came {
                name: span.name,
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
                facts: facts(span.attributes),
                events: span.events.len() + span.links.len(),
                nanoseconds: span.end_time_unix_nano - span.start_time_unix_nano,
            })
            .collect()
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let handed = self.handed.lock().unwrap();
        let read = |it: &Handed| ExportTraceServiceRequest::decode(it.body.clone()).unwrap();
        handed.iter().map(read).collect()
    }
}

async fn take(
    State(handed): State<Arc<Mutex<Vec<Handed>>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let bearer = headers.get("authorization");
    let bearer = bearer
        .map_or("", |value| value.to_str().unwrap())
        .to_owned();
    let proven = bearer == format!("Bearer {TOKEN}");
    handed.lock().unwrap().push(Handed { bearer, body });
    if proven {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    }
}

fn facts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let facts = attributes.into_iter().map(|attribute| {
        let value = attribute.value.and_then(|value| value.value);
        let Some(Value::StringValue(text)) = value else {
            panic!("{} is no text: {value:?}", attribute.key);
        };
        (attribute.key, text)
    });
    facts.collect()
}
