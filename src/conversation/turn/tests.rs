//! Whatever is said, in whatever state.

use std::sync::{Arc, LazyLock};

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::conversation::action::{Service, Wish};
use crate::conversation::handoff::{DeskTicket, Hours};
use crate::conversation::message::SentPicture;
use crate::conversation::picture::PictureRoom;
use crate::identity::number::Kind;
use crate::identity::{Proof, Standing, Who};
use crate::knowledge::answer::Contacts;
use crate::knowledge::source::Source;
use crate::knowledge::{LoadOptions, Strictness};
use crate::picture::{Picture, PictureKind};

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    let options = LoadOptions {
        contacts: Contacts::default(),
        today: date(2026, 11, 22),
        review_days: 365,
        strictness: Strictness::Full,
        sample_hours: false,
        editions: Vec::new(),
    };
    let loaded = Knowledge::load(&Source::Embedded, &options);
    loaded.ok().unwrap().knowledge
});

const SAID: [&str; 24] = [
    "lupa kata laluan portal",
    "slip gaji bulan lepas",
    "yang kedua",
    "batal",
    "2",
    "terima kasih",
    "english please",
    "qwertyuiop asdfgh",
    "bukan slip, tapi EC",
    "kalau pembekal?",
    "ic saya 900101035551",
    "/start",
    "/bahasa",
    "/padam",
    "/keluar",
    "/entahlah",
    "/slip",
    "/lupa",
    "/daftar",
    "/ec",
    "/sesi",
    "880101-03-5123",
    "4821 7730",
    "Kakitangan",
];

/// What can happen in a conversation.
#[derive(Clone, Debug)]
enum Event {
    Said(usize),
    Typed(String),
    PressedOffered(usize),
    PressedUnknown(String),
    Lapsed,
    Pictured(Option<usize>),
    Unreadable,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..SAID.len()).prop_map(Event::Said),
        1 => "\\PC{1,60}".prop_map(Event::Typed),
        3 => (0_usize..8).prop_map(Event::PressedOffered),
        1 => "[a-z:]{1,12}".prop_map(Event::PressedUnknown),
        1 => Just(Event::Lapsed),
        1 => prop::option::of(0..SAID.len()).prop_map(Event::Pictured),
        1 => Just(Event::Unreadable),
    ]
}

/// What there is of officers: nothing, a ticket that is open or settled, and somebody who holds the chat.
fn desk() -> impl Strategy<Value = Desk> {
    let ticket = |settled| {
        Some(DeskTicket {
            number: "TK-2026-000001-1".to_owned(),
            settled,
            pending: !settled,
        })
    };
    (any::<bool>(), 0..3).prop_map(move |(held, which)| Desk {
        held: held && which == 1,
        ticket: match which {
            0 => None,
            1 => ticket(false),
            _ => ticket(true),
        },
        ticketed: which > 0,
        full: which == 2,
        pictures: PictureRoom {
            chat_full: which == 2,
            ticket_full: false,
        },
        hours: Hours::default(),
    })
}

/// Who is known while the events come: nobody, somebody some time ago, somebody just now; here or bound.
fn standing() -> impl Strategy<Value = Standing> {
    let proof = |fresh: bool| Proof {
        id: "p1".to_owned(),
        subject: "s1".to_owned(),
        last4: "5123".to_owned(),
        who: Who {
            reference: "r1".to_owned(),
            kind: Kind::Staff,
            name: "Aminah".to_owned(),
            active: true,
            address_mark: "m".to_owned(),
        },
        fresh,
    };
    let bound = || Some(("s1".to_owned(), "5123".to_owned()));
    prop_oneof![
        Just(Standing::default()),
        Just(Standing {
            proof: None,
            bound: bound()
        }),
        Just(Standing {
            proof: Some(proof(false)),
            bound: bound()
        }),
        Just(Standing {
            proof: Some(proof(true)),
            bound: None
        }),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    prop_oneof![
        Just(Service::None),
        Just(Service::Manual),
        Just(Service::Portal)
    ]
}

fn picture() -> Arc<Picture> {
    Arc::new(Picture {
        bytes: Vec::new(),
        kind: PictureKind::Png,
        width: 1,
        height: 1,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn ac_36_every_event_in_every_state_has_an_answer_and_nothing_is_done_without_a_fresh_proof(
        events in prop::collection::vec(event(), 1..20),
        standing in standing(),
        service in service(),
        typed in any::<bool>(),
        desk in desk(),
    ) {
        let mut state = State::default();
        let mut language = Language::Ms;
        let mut offered: Vec<Choice> = Vec::new();
        for (place, event) in events.into_iter().enumerate() {
            let content = match event {
                Event::Said(which) => Content::Text(SAID[which].to_owned()),
                Event::Typed(text) => Content::Text(text),
                Event::PressedOffered(which) => match offered.get(which) {
                    Some(choice) => Content::Choice(Pressed { value: choice.value.clone(), under: None }),
                    None => Content::Unreadable,
                },
                Event::PressedUnknown(value) => Content::Choice(Pressed { value, under: None }),
                Event::Lapsed => Content::Lapsed,
                Event::Pictured(caption) => Content::Picture(SentPicture {
                    picture: picture(),
                    caption: caption.map(|which| SAID[which].to_owned()),
                    answered: false,
                }),
                Event::Unreadable => Content::Unreadable,
            };
            let news = News::default();
            let circumstances = Circumstances {
                transcript_days: 90,
                today: date(2026, 11, 22),
                first: place == 0,
                offered: false,
                personal: Personal {
                    service,
                    typed,
                    binds: true,
                    verification: "v1",
                    ..Personal::nobody(&standing)
                },
                desk: &desk,
                news: &news,
            };
            let decided = decide(&KNOWLEDGE, &state, language, &content, circumstances);
            let Ok(decision) = decided else {
                // Only what was never offered is refused.
                let Content::Choice(pressed) = &content else {
                    return Err(TestCaseError::fail("a text was refused"));
                };
                prop_assert!(!state.has_offered(&pressed.value));
                continue;
            };
            let effects = &decision.effects;
            let wishes = matches!(effects.wish, Some(Wish::Do(_))) || effects.end_all.is_some();
            prop_assert!(!wishes || standing.fresh().is_some(), "{effects:?}");
            prop_assert!(effects.document.is_none() && effects.errand.is_none() && !effects.redeem);
            prop_assert!(effects.ask.is_none() || service != Service::None);
            // What has to be found out first is answered then.
            prop_assert!(!decision.replies.is_empty() || effects.wish.is_some() || desk.held);
            prop_assert!(decision.replies.iter().all(|reply| !reply.body.text.trim().is_empty()));
            prop_assert!(!decision.heard.contains("900101035551"));
            // Nothing is erased but by the choice to erase.
            let erases = matches!(&content, Content::Choice(pressed) if pressed.value == ERASE_VALUE);
            prop_assert!(!decision.erase || erases || matches!(content, Content::Text(_)));
            offered = decision.replies.iter().flat_map(|reply| reply.body.choices.clone()).collect();
            prop_assert!(offered.iter().all(|choice| decision.state.has_offered(&choice.value)));
            let json = decision.state.to_json();
            prop_assert_eq!(State::parse(&json).to_json(), json);
            state = decision.state;
            language = decision.language;
        }
    }
}
