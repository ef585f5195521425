//! Figures for the operator, in the form that Prometheus reads. Labels come from closed sets: never a text, an address
//! or a number of a person.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

const SECONDS: [f64; 12] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0,
];

/// Starts to collect, once a process; none if the process collects elsewhere already.
pub fn collect() -> Option<&'static PrometheusHandle> {
    let handle = HANDLE.get_or_init(|| {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &SECONDS);
        let recorder = builder.ok()?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok()?;
        super::counted::begin();
        Some(handle)
    });
    handle.as_ref()
}

/// Counts and times a request under its route, not its path.
pub async fn measure(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route: Arc<str> = matched.map_or("none", MatchedPath::as_str).into();
    let method = request.method().clone();
    let start = Instant::now();
    let response = next.run(request).await;
    let seconds = start.elapsed().as_secs_f64();
    let status = response.status();
    tracing::debug!(%method, %route, status = status.as_u16(), seconds, "request");
    let class = match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("tanya_http_requests_total", "route" => route.clone(), "status" => class)
        .increment(1);
    metrics::histogram!("tanya_http_request_seconds", "route" => route, "status" => class)
        .record(seconds);
    response
}
