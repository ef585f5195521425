//! Whatever is typed, the router keeps its promises.

use proptest::prelude::*;
use tanya::knowledge::ask::{ask, askable};
use tanya::knowledge::contrast::MARKERS;
use tanya::knowledge::router::Outcome;

use crate::support::KNOWLEDGE;

fn keeps_its_promises(text: &str) -> Result<(), TestCaseError> {
    let finding = ask(&KNOWLEDGE, text, None.into()).unwrap();
    let confidences: Vec<f64> = finding.candidates.iter().map(|c| c.confidence).collect();
    prop_assert!(confidences.iter().all(|c| (0.0..=1.0).contains(c)));
    prop_assert!(confidences.windows(2).all(|pair| pair[0] >= pair[1]));
    prop_assert!(confidences.len() <= 3);
    let has_a_word = text.chars().take(512).any(char::is_alphanumeric);
    prop_assert!(
        !has_a_word || !confidences.is_empty(),
        "a word has candidates"
    );
    prop_assert_eq!(finding.answer.is_some(), finding.outcome == Outcome::Answer);
    prop_assert_eq!(
        finding.target.is_none(),
        finding.outcome == Outcome::Fallback
    );
    if finding.outcome == Outcome::Clarify {
        prop_assert!(confidences.len() >= 2);
    }
    if let Some(target) = &finding.target {
        prop_assert_eq!(target, &finding.candidates[0].target);
    }
    Ok(())
}

proptest! {
    #[test]
    fn over_any_text(text in any::<String>()) {
        keeps_its_promises(&text)?;
    }

    #[test]
    fn over_what_looks_like_a_query(text in "[()\\[\\]{}:*?~^+\\-!&|\"/\\\\ a-z0-9]{0,200}") {
        keeps_its_promises(&text)?;
    }

    #[test]
    fn over_words_of_the_trade(words in proptest::collection::vec(
        prop_oneof!["lupa", "kata laluan", "portal", "slip", "gaji", "ec", "2025", "xleh", "guano", "password", "[a-z]{1,12}"],
        0..40,
    )) {
        keeps_its_promises(&words.join(" "))?;
    }

    #[test]
    fn what_is_beyond_the_first_512_characters_changes_nothing(text in "[a-z ]{512}", rest in "[a-z ]{0,200}") {
        let whole = ask(&KNOWLEDGE, &format!("{text}{rest}"), None.into()).unwrap();
        let head = ask(&KNOWLEDGE, &text, None.into()).unwrap();
        prop_assert_eq!(whole.confidence, head.confidence);
    }

    #[test]
    fn what_is_askable_has_something_to_read(text in any::<String>()) {
        if askable(&text).is_ok() {
            prop_assert!(text.chars().any(|c| !c.is_whitespace() && !c.is_control()));
        }
    }

    #[test]
    fn case_and_punctuation_change_nothing(text in "[a-z]{2,10}( [a-z]{2,10}){0,8}") {
        // But for the comma after what is said not to be meant.
        prop_assume!(!text.split(' ').any(|word| MARKERS.contains(&word)));
        let plain = ask(&KNOWLEDGE, &text, None.into()).unwrap();
        let shouted = format!("  {}!!! ", text.to_uppercase().replace(' ', ", "));
        let shouted = ask(&KNOWLEDGE, &shouted, None.into()).unwrap();
        prop_assert_eq!(plain.confidence, shouted.confidence);
    }
}
