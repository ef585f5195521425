//! Stories of the sample portal, driven through its router.

mod documents;
mod effects;
mod faults;
mod people;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Simulator;
use crate::clock::{Clock, Millis};

const TOKEN: &str = "token-for-tests";
const BASE: &str = "http://portal.test";
/// 23 November 2026 at noon in Kelantan: October's payslip is the latest.
const NOVEMBER_23: Millis = 1_795_406_400_000;

/// The numbers of people with a part in the stories.
const ORDINARY: &str = "880313036661";
const HELPDESK: &str = "950703035610";
const UNREGISTERED: &str = "840912035425";
const UNREGISTERED_HELPDESK: &str = "920321035644";
const APPOINTEE: &str = "010101030851";
const RECENT: &str = "990206036147";
const LEAVER: &str = "820303035452";
const NO_EMAIL: &str = "680821035880";
const BOTH_ROLES: &str = "910804035297";

struct Portal {
    simulator: Simulator,
    clock: Clock,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Status and problem code in one, as most stories end.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        let code = problem["code"].as_str().unwrap().to_owned();
        (self.status.as_u16(), code)
    }
}

impl Portal {
    fn new() -> Self {
        let clock = Clock::shifted(NOVEMBER_23 - Clock::default().now());
        let simulator = Simulator::new(TOKEN, BASE, clock.clone());
        Self { simulator, clock }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.simulator.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap(),
        }
    }

    /// A call with the token.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.send(request(method, path, body)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None).await
    }

    /// A call for an effect.
    async fn effect(&self, path: &str, key: &str) -> Reply {
        let mut request = request(Method::POST, path, None);
        let headers = request.headers_mut();
        headers.insert("idempotency-key", key.parse().unwrap());
        self.send(request).await
    }

    async fn form(&self, path: &str, body: &str) -> Reply {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path).header("content-type", kind);
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    async fn faults(&self, faults: Value) {
        let reply = self.call(Method::PUT, "/faults", Some(faults)).await;
        assert_eq!(reply.status, StatusCode::OK);
    }

    async fn lookup(&self, kind: &str, id_no: &str) -> Reply {
        let wanted = json!({"kind": kind, "id_no": id_no});
        self.call(Method::POST, "/v1/people/lookup", Some(wanted))
            .await
    }

    /// `/v1/people/{ref}` of a member of staff.
    async fn staff(&self, id_no: &str) -> String {
        self.path("staff", id_no).await
    }

    async fn path(&self, kind: &str, id_no: &str) -> String {
        let found = self.lookup(kind, id_no).await.json();
        format!("/v1/people/{}", found["person"]["ref"].as_str().unwrap())
    }

    async fn account(&self, path: &str) -> String {
        let found = self.get(path).await.json();
        found["person"]["account"].as_str().unwrap().to_owned()
    }
}

fn request(method: Method, path: &str, body: Option<Value>) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {TOKEN}"));
    match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .unwrap()
}

/// The path of a link that the portal handed out.
fn path_of(reply: &Reply) -> String {
    let answer = reply.json();
    let url = answer["url"].as_str().unwrap();
    url.strip_prefix(BASE).unwrap().to_owned()
}
