use super::*;
use crate::knowledge::source::Source;
use crate::knowledge::{LoadOptions, Strictness};

/// The shipped knowledge; its router is not trained twice in one run.
fn knowledge() -> Knowledge {
    let options = LoadOptions {
        contacts: Default::default(),
        today: jiff::civil::date(2026, 11, 22),
        review_days: 365,
        strictness: Strictness::Shape,
        sample_hours: false,
        editions: Vec::new(),
    };
    Knowledge::load(&Source::Embedded, &options)
        .ok()
        .unwrap()
        .knowledge
}

fn missed(text: &str, chat: &str) -> Missed {
    Missed {
        text: text.to_owned(),
        chat: chat.to_owned(),
        miss: Miss::Fallback,
        answered: None,
        at: 1,
    }
}

fn texts(gathered: &Gathered) -> Vec<(&str, usize, usize)> {
    let groups = gathered.groups.iter();
    groups
        .map(|group| (group.text.as_str(), group.count, group.chats))
        .collect()
}

#[test]
fn questions_that_ask_the_same_are_put_together_and_others_are_not() {
    let knowledge = knowledge();
    let asked = [
        ("resepi nasi kerabu", "a"),
        ("Resipi nasi kerabu??", "b"),
        ("nak resepi nasi krabu", "c"),
        ("harga emas hari ini berapa", "a"),
        ("brp harga emas arini", "d"),
        ("[…]", "e"),
        ("x", "e"),
        ("tarikh pilihan raya negeri", "e"),
    ];
    let missed: Vec<Missed> = asked.map(|(text, chat)| missed(text, chat)).to_vec();
    let gathered = knowledge.gather(&missed, &[]).unwrap();
    let found = texts(&gathered);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((found[0].1, found[0].2), (3, 3), "{found:?}");
    assert_eq!((found[1].1, found[1].2), (2, 2), "{found:?}");
    assert!(
        gathered
            .groups
            .iter()
            .all(|group| !group.nearest.is_empty())
    );
    // The same questions in another order give the same.
    let turned: Vec<Missed> = missed.iter().rev().cloned().collect();
    assert_eq!(texts(&knowledge.gather(&turned, &[]).unwrap()), found);

    let aside = knowledge
        .gather(&missed, &["resipi nasi kerabu".to_owned()])
        .unwrap();
    assert_eq!((aside.groups.len(), aside.set_aside), (2, 3));
}

#[test]
fn what_is_answered_now_is_left_out_unless_that_did_not_help() {
    let knowledge = knowledge();
    let text = "saya lupa kata laluan portal ispeks";
    let mut one = missed(text, "a");
    assert_eq!(knowledge.gather(&[one.clone()], &[]).unwrap().answered, 1);
    one.miss = Miss::Unhelpful;
    one.answered = Some("portal-lupa-kata-laluan".to_owned());
    let gathered = knowledge.gather(&[one.clone()], &[]).unwrap();
    assert_eq!(gathered.groups[0].misses, [0, 0, 1]);
    one.answered = Some("portal-mystep".to_owned());
    assert_eq!(knowledge.gather(&[one], &[]).unwrap().answered, 1);
}
