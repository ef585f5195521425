//! A collector is told of the program's work: what, how long, how it ended, and nothing of anybody. One that is dead holds nothing up.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::collector::{Came, Collector, TOKEN};
use crate::support::process::Process;
use crate::support::proof::token_of;

/// All that is ever said of a span.
const FACTS: [&str; 6] = [
    "http.request.method",
    "http.route",
    "tanya.carrier",
    "tanya.outcome",
    "tanya.reference",
    "tanya.status_class",
];
const MESSAGES: &str = "/api/v1/conversations/{id}/messages";

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// A chat as its person has it, with a running program.
struct Talk<'a> {
    client: &'a Client,
    url: String,
    token: String,
}

impl<'a> Talk<'a> {
    async fn begin(client: &'a Client, process: &Process) -> Self {
        let url = format!("http://{}/api/v1/conversations", process.http_addr);
        let begun = client.post(&url).json(&json!({})).send().await.unwrap();
        let begun: Value = begun.json().await.unwrap();
        Self {
            client,
            url: format!("{url}/{}", begun["id"].as_str().unwrap()),
            token: begun["token"].as_str().unwrap().to_owned(),
        }
    }

    fn message(&self, text: &str) -> RequestBuilder {
        let message = json!({"client_id": Uuid::new_v4(), "text": text});
        let request = self.client.post(format!("{}/messages", self.url));
        request.bearer_auth(&self.token).json(&message)
    }

    /// Says something; the answer's reference.
    async fn say(&self, text: &str) -> String {
        let answer = self.message(text).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    }
}

/// The one span that a collector was told of under a reference.
#[track_caller]
fn of<'a>(spans: &'a [Came], reference: &str) -> &'a Came {
    let mut found = spans
        .iter()
        .filter(|span| span.fact("tanya.reference") == reference);
    let span = found
        .next()
        .unwrap_or_else(|| panic!("no span of {reference}"));
    assert!(found.next().is_none(), "two spans of {reference}");
    span
}

#[track_caller]
fn beneath<'a>(spans: &'a [Came], parent: &Came, name: &str) -> &'a Came {
    let mut children = spans
        .iter()
        .filter(|span| span.parent == parent.id && span.trace == parent.trace);
    let found = children.find(|span| span.name == name);
    found.unwrap_or_else(|| panic!("no {name} beneath {parent:?}: {spans:#?}"))
}

#[tokio::test]
async fn ac_82_a_collector_is_told_of_requests_and_of_nobody() {
    let collector = Collector::start();
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("TANYA_OTLP_URL", collector.url()),
        ("TANYA_OTLP_TOKEN", TOKEN),
    ];
    let mut process = Process::start(folder.path(), &settings).await;
    let client = client();
    let talk = Talk::begin(&client, &process).await;
    let (number, code, name) = ("880313036661", "48151623", "kucingbelang");
    let words = format!("{name} ic saya {number} kod {code} slip gaji");
    let reference = talk.say(&words).await;
    talk.say("880313-03-6661").await;
    talk.say("4815 1623").await;
    // A code is asked for: a worker carries it.
    let slip = talk.message("/slip").send().await.unwrap();
    let slip: Value = slip.json().await.unwrap();
    let token = token_of(&slip["replies"][0]);
    let start = json!({"token": token, "kind": "staff", "id_no": number});
    let site = format!("http://{}", process.http_addr);
    let started = client.post(format!("{site}/api/v1/verify/start"));
    let started = started.json(&start).send().await.unwrap();
    assert_eq!(started.status(), 202);
    let query = format!("{site}/verify?ic={number}&token={code}");
    client.get(&query).send().await.unwrap();
    let nowhere = client.get(format!("{site}/{number}/{name}")).send().await;
    let nowhere = nowhere.unwrap().headers()["x-request-id"].clone();
    let method = Method::from_bytes(format!("X{number}").as_bytes()).unwrap();
    let own = client.request(method, format!("{site}/chat")).send().await;
    let own = own.unwrap().headers()["x-request-id"].clone();
    let begun = Instant::now();
    let is_code = |span: &Came| span.fact("tanya.carrier") == "code";
    while !collector.spans().iter().any(is_code) {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "no delivery came"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Not waited for: the program's end brings it.
    let last = talk.say("terima kasih").await;
    process.terminate();

    let spans = collector.spans();
    let request = of(&spans, &reference);
    assert_eq!(request.name, format!("POST {MESSAGES}"));
    assert_eq!(request.fact("http.route"), MESSAGES);
    assert_eq!(request.fact("http.request.method"), "POST");
    assert_eq!(request.fact("tanya.status_class"), "2xx");
    assert!(request.parent.is_empty());
    let turn = beneath(&spans, request, "turn");
    let router = beneath(&spans, turn, "router");
    let outcomes = ["answer", "clarify", "fallback"];
    assert!(outcomes.contains(&router.fact("tanya.outcome")));
    assert!(request.nanoseconds >= turn.nanoseconds && turn.nanoseconds >= router.nanoseconds);
    of(&spans, &last);
    let nowhere = of(&spans, nowhere.to_str().unwrap());
    assert_eq!(
        (nowhere.name.as_str(), nowhere.fact("http.route")),
        ("GET", "")
    );
    assert_eq!(nowhere.fact("tanya.status_class"), "4xx");
    let own = of(&spans, own.to_str().unwrap());
    assert_eq!(own.fact("http.request.method"), "_OTHER");
    let delivery = spans.iter().find(|span| is_code(span)).unwrap();
    assert_eq!(delivery.name, "delivery");
    assert_ne!(delivery.fact("tanya.outcome"), "");

    for span in &spans {
        let known = span.facts.keys().all(|fact| FACTS.contains(&fact.as_str()));
        assert!(known && span.events == 0, "{span:?}");
        assert!(span.name != "POST /v1/traces", "it tells of itself");
    }
    let text = collector.text();
    let secrets = [
        number,
        "880313-03-6661",
        code,
        "4815 1623",
        name,
        &talk.token,
        &token,
        TOKEN,
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} came to the collector");
    }
    let bearer = format!("Bearer {TOKEN}");
    assert!(collector.bearers().iter().all(|it| *it == bearer));
    for maker in collector.makers() {
        assert_eq!(maker["service.name"], "tanya");
        assert_eq!(maker["service.version"], env!("CARGO_PKG_VERSION"));
        assert!(Uuid::parse_str(&maker["service.instance.id"]).is_ok());
        assert_eq!(maker.len(), 3, "{maker:?}");
    }
}

/// Who asks side by side, and how often each: far more than the spans that can wait.
const ASKING: usize = 8;
const TIMES: usize = 1_000;

#[tokio::test]
async fn a_dead_collector_delays_nothing_and_fills_nothing() {
    // Whoever connects is let in by the system, and never hears anything.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", dead.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &[("TANYA_OTLP_URL", &url)]).await;
    let client = client();
    let asked = format!("http://{}/favicon.ico", process.http_addr);
    let ask = async || {
        let mut slowest = Duration::ZERO;
        for _ in 0..TIMES {
            let begun = Instant::now();
            client.get(&asked).send().await.unwrap();
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    };
    let times = join_all((0..ASKING).map(|_| ask())).await;
    let slowest = times.into_iter().max().unwrap();
    let talk = Talk::begin(&client, &process).await;
    let begun = Instant::now();
    talk.say("lupa kata laluan").await;
    let answered = begun.elapsed();
    let counted = async |outcome: &str| {
        let name = format!("tanya_spans_total{{outcome=\"{outcome}\"}}");
        process.figure(&name).await.unwrap()
    };
    let (sent, dropped) = (counted("sent").await, counted("dropped").await);
    let begun = Instant::now();
    process.terminate();
    let stopped = begun.elapsed();
    eprintln!("slowest {slowest:?}, a turn {answered:?}, {dropped} dropped, the stop {stopped:?}");
    assert_eq!(sent, 0.0);
    let all = (ASKING * TIMES) as f64;
    assert!(1.0 <= dropped && dropped < all, "{dropped} of {all}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(answered < Duration::from_secs(2), "{answered:?}");
    assert!(stopped < Duration::from_secs(4), "{stopped:?}");
}
