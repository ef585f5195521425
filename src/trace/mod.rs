//! Spans of what the program does, for a collector: what it was, how it ended, how long it took. What can be said of one is a
//! closed set in which nothing of a person has a place. They are made by OpenTelemetry's own interface and not out of the spans
//! of the log: so no line of the log, and nothing that a library says in its own spans, comes into one, and the log stays as it is.

mod examine;
mod export;

use std::sync::OnceLock;

use futures_util::FutureExt as _;
use opentelemetry::trace::{FutureExt as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

pub use examine::Reached;
pub use export::{Collector, Export};

/// What makes spans; nothing does until somebody takes them.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work<'a> {
    /// Answering a request over HTTP.
    Request {
        /// Its method, one of the standard's.
        method: &'static str,
        /// Its route, as it is written in the program; none where nobody answers.
        route: Option<&'a str>,
    },
    /// Handling an update of Telegram's.
    Update,
    /// Carrying something out.
    Delivery,
    /// Deciding what a message is answered, and writing it down.
    Turn,
    /// Finding what a question means.
    Router,
}

impl Work<'_> {
    fn name(self) -> String {
        match self {
            Self::Request {
                method,
                route: Some(route),
            } => format!("{method} {route}"),
            Self::Request {
                method,
                route: None,
            } => method.to_owned(),
            Self::Update => "update".to_owned(),
            Self::Delivery => "delivery".to_owned(),
            Self::Turn => "turn".to_owned(),
            Self::Router => "router".to_owned(),
        }
    }

    fn kind(self) -> SpanKind {
        match self {
            Self::Request { .. } => SpanKind::Server,
            Self::Update => SpanKind::Consumer,
            Self::Delivery => SpanKind::Client,
            Self::Turn | Self::Router => SpanKind::Internal,
        }
    }

    /// Whether it is told of only as part of something: the router is also asked by who edits the knowledge.
    fn is_part(self) -> bool {
        matches!(self, Self::Turn | Self::Router)
    }
}

/// What can be said of a span, and all of it: words of the program's own, and references that tell nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// What the log knows it by.
    Reference(&'a str),
    /// The status of an answer over HTTP; only its class is told.
    Status(u16),
    /// What carries it.
    Carrier(&'static str),
    /// How it ended.
    Outcome(&'static str),
}

impl Fact<'_> {
    fn attribute(self) -> KeyValue {
        match self {
            Self::Reference(reference) => KeyValue::new("tanya.reference", reference.to_owned()),
            Self::Status(status) => KeyValue::new("tanya.status_class", class(status)),
            Self::Carrier(carrier) => KeyValue::new("tanya.carrier", carrier),
            Self::Outcome(outcome) => KeyValue::new("tanya.outcome", outcome),
        }
    }
}

/// Something that takes its time; over when it is dropped.
pub struct Span(Option<Context>);

impl Span {
    /// Begins one under the one that is going on here. Where nobody takes spans it is none, and costs nothing.
    pub fn begin(work: Work<'_>) -> Self {
        let tracer = TRACER.get();
        let tracer = tracer.filter(|_| !work.is_part() || is_under_way());
        let Some(tracer) = tracer else {
            return Self(None);
        };
        let builder = tracer.span_builder(work.name()).with_kind(work.kind());
        let span = tracer.build(builder.with_attributes(known(work)));
        Self(Some(Context::current_with_span(span)))
    }

    /// Says something of it.
    pub fn note(&self, fact: Fact<'_>) {
        if let Some(context) = &self.0 {
            say(context, fact);
        }
    }

    /// Says that it did not do what it was for.
    pub fn fail(&self) {
        if let Some(context) = &self.0 {
            context.span().set_status(Status::error(""));
        }
    }

    /// Does some work as part of it.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        match &self.0 {
            Some(context) => work.with_context(context.clone()).left_future(),
            None => work.right_future(),
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.span().end();
        }
    }
}

/// Says something of what is going on here, if it is told of.
pub fn note(fact: Fact<'_>) {
    if TRACER.get().is_some() {
        Context::map_current(|context| say(context, fact));
    }
}

fn is_under_way() -> bool {
    Context::map_current(|context| context.has_active_span())
}

/// What is known when it begins.
fn known(work: Work<'_>) -> Vec<KeyValue> {
    let Work::Request { method, route } = work else {
        return Vec::new();
    };
    let route = route.map(|route| KeyValue::new("http.route", route.to_owned()));
    let method = KeyValue::new("http.request.method", method);
    std::iter::once(method).chain(route).collect()
}

fn say(context: &Context, fact: Fact<'_>) {
    let span = context.span();
    if !span.is_recording() {
        return;
    }
    span.set_attribute(fact.attribute());
    if matches!(fact, Fact::Status(500..)) {
        span.set_status(Status::error(""));
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_nobody_takes_them_there_are_no_spans() {
        let request = Work::Request {
            method: "GET",
            route: Some("/chat"),
        };
        let span = Span::begin(request);
        assert!(span.0.is_none());
        span.around(async {
            assert!(!is_under_way());
            assert!(Span::begin(Work::Turn).0.is_none());
        })
        .await;
    }

    #[test]
    fn a_request_is_named_by_its_route() {
        let at = |route| {
            let method = "POST";
            Work::Request { method, route }.name()
        };
        assert_eq!(at(Some("/api/v1/ask")), "POST /api/v1/ask");
        assert_eq!(at(None), "POST");
    }

    #[test]
    fn of_a_status_the_class_is_told() {
        let classes = [101, 204, 303, 429, 503].map(class);
        assert_eq!(classes, ["1xx", "2xx", "3xx", "4xx", "5xx"]);
    }
}
