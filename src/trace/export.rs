//! Hands spans to a collector as OTLP over HTTP, on threads of its own: who makes a span never waits. What the collector does
//! not take in time is let go, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData,
    SpanExporter as Exporter, SpanProcessor,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use tokio::runtime::{Builder, Handle, Runtime};
use url::Url;
use uuid::Uuid;

use super::TRACER;
use crate::http_client;
use crate::secret::Secret;

/// How many spans wait at most, on their way included: some 2 MB.
const WAITING: usize = 2048;
/// How many go at once.
const AT_ONCE: usize = 512;
/// How long one waits for others.
const EVERY: Duration = Duration::from_secs(2);
/// How long a connection, and a whole request, may take.
const CONNECT: Duration = Duration::from_secs(2);
const WHOLE: Duration = Duration::from_secs(4);
/// How long the program's end waits for what is left.
const AT_THE_END: Duration = Duration::from_secs(2);

/// What takes spans.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Its address, without the path that the protocol adds.
    pub url: Url,
    /// What we prove ourselves with.
    pub token: Option<Secret>,
    /// The share of requests, updates and deliveries that are told of, from 0 to 1.
    pub sample: f64,
}

impl Collector {
    /// Where spans go.
    pub(super) fn address(&self) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v1", "traces"]);
        }
        url
    }

    /// What asks it, with the token.
    pub(super) fn client(&self) -> anyhow::Result<reqwest::Client> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let client = http_client::builder(CONNECT, WHOLE).default_headers(headers);
        Ok(client.build()?)
    }
}

/// What hands spans over, for as long as it is kept. When it is dropped, what is left goes, within two seconds.
pub struct Export {
    provider: SdkTracerProvider,
    /// Apart from the program's: neither holds the other up.
    runtime: Option<Runtime>,
}

impl Export {
    /// Has spans made, and takes them to a collector; once a process. The collector need not answer yet.
    pub fn start(collector: &Collector) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()?;
        let line = Line {
            client: collector.client()?,
            runtime: runtime.handle().clone(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(line)
            .with_endpoint(collector.address())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(WHOLE)
            .build()?;
        let root = Sampler::TraceIdRatioBased(collector.sample);
        let provider = SdkTracerProvider::builder()
            .with_resource(program())
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_span_processor(Bounded::before(exporter))
            .build();
        if TRACER.set(provider.tracer("tanya")).is_err() {
            anyhow::bail!("traces are exported already");
        }
        Ok(Self {
            provider,
            runtime: Some(runtime),
        })
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if self.provider.shutdown_with_timeout(AT_THE_END).is_err() {
            tracing::warn!("the last traces were not handed over: the collector does not answer");
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What all spans are of. Nothing is read from the surroundings.
fn program() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let instance = KeyValue::new("service.instance.id", Uuid::new_v4().to_string());
    Resource::builder_empty()
        .with_service_name("tanya")
        .with_attributes([version, instance])
        .build()
}

fn count(outcome: &'static str, spans: usize) {
    let spans = u64::try_from(spans).unwrap_or(u64::MAX);
    metrics::counter!("tanya_spans_total", "outcome" => outcome).increment(spans);
}

/// Lets no more spans wait than there is room for.
#[derive(Debug)]
struct Bounded {
    batches: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
}

impl Bounded {
    fn before(exporter: SpanExporter) -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Counted {
            exporter,
            waiting: Arc::clone(&waiting),
            silent: AtomicBool::new(false),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_max_export_batch_size(AT_ONCE)
            .with_scheduled_delay(EVERY);
        let batches = BatchSpanProcessor::builder(counted)
            .with_batch_config(config.build())
            .build();
        Self { batches, waiting }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return count("dropped", 1);
        }
        self.batches.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what goes, and tells the log when the collector falls silent and when it is back.
#[derive(Debug)]
struct Counted {
    exporter: SpanExporter,
    waiting: Arc<AtomicUsize>,
    silent: AtomicBool,
}

impl Exporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let failed = exported.is_err();
        count(if failed { "lost" } else { "sent" }, spans);
        let was_silent = self.silent.swap(failed, Ordering::Relaxed);
        if failed && !was_silent {
            tracing::warn!("traces cannot be handed over; check TANYA_OTLP_URL and its collector");
        } else if was_silent && !failed {
            tracing::info!("traces are handed over again");
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The line to the collector: the client as the program builds them. What is answered is not read.
#[derive(Debug)]
struct Line {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Line {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut request = reqwest::Request::try_from(request)?;
        // What the surroundings name (OTEL_EXPORTER_OTLP_HEADERS) is not sent: the settings say all.
        let kept = request.headers_mut().remove(CONTENT_TYPE);
        request.headers_mut().clear();
        request
            .headers_mut()
            .extend(kept.map(|kept| (CONTENT_TYPE, kept)));
        let client = self.client.clone();
        // Whoever waits here is a plain thread.
        let asked = async move { client.execute(request).await };
        let answer = self.runtime.spawn(asked).await??;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        if let Some(after) = answer.headers().get(RETRY_AFTER) {
            response.headers_mut().insert(RETRY_AFTER, after.clone());
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_s_path_is_put_behind_the_address() {
        for (given, expected) in [
            ("http://10.1.0.9:4318", "http://10.1.0.9:4318/v1/traces"),
            ("https://c.example/otlp", "https://c.example/otlp/v1/traces"),
            (
                "https://c.example/otlp/",
                "https://c.example/otlp/v1/traces",
            ),
        ] {
            let collector = Collector {
                url: Url::parse(given).unwrap(),
                token: None,
                sample: 1.0,
            };
            assert_eq!(collector.address().as_str(), expected);
        }
    }

    #[test]
    fn ac_83_the_token_is_not_printed() {
        let collector = Collector {
            url: Url::parse("http://10.1.0.9:4318").unwrap(),
            token: Some(Secret::new("canary".to_owned())),
            sample: 1.0,
        };
        let client = collector.client().unwrap();
        let shown = format!("{collector:?} {client:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
