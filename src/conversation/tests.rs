//! The engine over a real database.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::conversation::message::Incoming;
use crate::identity;
use crate::key_ring::KeyRing;
use crate::knowledge::source::Source;
use crate::knowledge::{LoadOptions, Strictness};
use crate::secret::SecretKey;

use super::*;

async fn engine(folder: &std::path::Path, decide: Decide) -> Engine {
    let clock = Clock::default();
    let options = LoadOptions {
        contacts: crate::knowledge::answer::Contacts::default(),
        today: clock.today(),
        review_days: 3650,
        strictness: Strictness::Full,
        sample_hours: false,
        editions: Vec::new(),
    };
    let started = LiveKnowledge::start(Source::Embedded, options, clock.clone());
    let (knowledge, _) = started.ok().unwrap();
    let url = format!("sqlite://{}", folder.join("tanya.db").display());
    let store = Arc::new(Store::open(&url).await.unwrap());
    let bounds = Bounds {
        chat_idle: Duration::from_secs(3600),
        transcript_days: 90,
        rate: Rate {
            every: 1,
            burst: 1_000,
        },
    };
    let bells = Arc::new(Bells::default());
    let secret = SecretKey::in_file(&folder.join("secret.key")).unwrap();
    let keys = KeyRing::open(&store, &secret, &clock).await.unwrap();
    let post = Arc::new(Post::new(Arc::clone(&store), Arc::clone(&bells), &secret));
    let identity = Arc::new(Identity::new(identity::Parts {
        store: Arc::clone(&store),
        clock: clock.clone(),
        secret: secret.clone(),
        keys,
        post: Arc::clone(&post),
        limits: identity::limits::Limits::default(),
        public_url: "http://localhost".to_owned(),
    }));
    let incidents = Arc::new(Incidents {
        store: Arc::clone(&store),
        clock: clock.clone(),
        rules: crate::incident::Rules::default(),
    });
    let mut engine = Engine::new(Parts {
        store,
        knowledge,
        clock,
        bounds,
        bells,
        identity,
        portal: None,
        incidents,
        post,
        ticket_sealer: secret.sealer("ticket"),
        typed_proof: true,
    });
    engine.decide = decide;
    engine
}

fn text(text: &str) -> Incoming {
    Incoming {
        client_id: Uuid::new_v4(),
        content: Content::Text(text.to_owned()),
        receipt: None,
        original: None,
        who: None,
        network: None,
    }
}

fn breaks_on_a_word(
    knowledge: &Knowledge,
    state: &State,
    language: Language,
    content: &Content,
    circumstances: Circumstances<'_>,
) -> Result<Decision, ChoiceExpired> {
    if matches!(content, Content::Text(text) if text.contains("racun")) {
        panic!("poison");
    }
    turn::decide(knowledge, state, language, content, circumstances)
}

#[tokio::test]
async fn ac_111_a_message_that_breaks_its_turn_is_answered_with_an_apology_and_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), breaks_on_a_word).await;
    let broken = engine.begin(Channel::Web, Language::Ms).await.unwrap();
    let other = engine.begin(Channel::Web, Language::Ms).await.unwrap();
    let poison = text("racun 900101035551");
    let said = engine.handle(&broken.id, poison.clone()).await.unwrap();
    assert!(
        said[0].body.text.contains("rujukan R-"),
        "{}",
        said[0].body.text
    );
    // The same message again is the same, and the chat goes on.
    let again = engine.handle(&broken.id, poison).await.unwrap();
    assert_eq!(again[0].body.text, said[0].body.text);
    let messages = engine.messages(&broken.id, 0).await.unwrap();
    assert_eq!(messages[2].body.text, "racun [disembunyikan]");
    for id in [&broken.id, &other.id] {
        let said = engine.handle(id, text("slip gaji")).await.unwrap();
        assert_eq!(said[0].target.as_deref(), Some("action:slip-gaji"));
    }
}

static TURNS_DECIDED: AtomicUsize = AtomicUsize::new(0);

fn counts(
    knowledge: &Knowledge,
    state: &State,
    language: Language,
    content: &Content,
    circumstances: Circumstances<'_>,
) -> Result<Decision, ChoiceExpired> {
    TURNS_DECIDED.fetch_add(1, Ordering::Relaxed);
    turn::decide(knowledge, state, language, content, circumstances)
}

#[tokio::test]
async fn who_writes_too_fast_is_told_to_wait_and_nothing_is_decided() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = engine(folder.path(), counts).await;
    engine.bounds.rate = Rate {
        every: 60_000,
        burst: 3,
    };
    let begun = engine.begin(Channel::Web, Language::Ms).await.unwrap();
    for _ in 0..3 {
        engine.handle(&begun.id, text("salam")).await.unwrap();
    }
    let refused = engine.handle(&begun.id, text("salam")).await;
    assert!(matches!(refused, Err(EngineError::TooFast { .. })));
    assert_eq!(TURNS_DECIDED.load(Ordering::Relaxed), 3);
    engine.clock.advance(61_000);
    engine.handle(&begun.id, text("salam")).await.unwrap();
    // A clock that goes back locks nobody out.
    engine.clock.advance(-30 * 24 * 3_600_000);
    engine.handle(&begun.id, text("salam")).await.unwrap();
}
