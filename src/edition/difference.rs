//! What an edition changes: as a patch that `git apply` and `patch -p1` take, and line by line for a page.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// Lines around a change that are shown with it.
const AROUND: usize = 3;
/// Texts that have nothing in common are not compared for ever: what is found then is right, and longer than it need be.
const AT_MOST: Duration = Duration::from_millis(500);

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What happened to it.
    pub change: Change,
    /// Its number before, from 1.
    pub old: Option<usize>,
    /// Its number after, from 1.
    pub new: Option<usize>,
    /// What it says.
    pub text: String,
}

/// What happened to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was added.
    Added,
    /// It was taken out.
    Removed,
    /// It is as it was.
    Same,
    /// Lines that are as they were are left out here.
    Skipped,
}

fn compared<'a>(before: &'a str, after: &'a str) -> TextDiff<'a, 'a, 'a, str> {
    let mut config = TextDiff::configure();
    config.timeout(AT_MOST).diff_lines(before, after)
}

/// The patch for a file of the knowledge folder; empty if nothing changed.
pub fn patch(file: &str, before: &str, after: &str) -> String {
    let diff = compared(before, after);
    let mut unified = diff.unified_diff();
    let (old, new) = (format!("a/knowledge/{file}"), format!("b/knowledge/{file}"));
    unified
        .context_radius(AROUND)
        .header(&old, &new)
        .to_string()
}

/// Lines added and taken out.
pub fn size(before: &str, after: &str) -> (usize, usize) {
    let diff = compared(before, after);
    let count = |tag| {
        diff.iter_all_changes()
            .filter(|line| line.tag() == tag)
            .count()
    };
    (count(ChangeTag::Insert), count(ChangeTag::Delete))
}

/// The changed lines with those around them.
pub fn lines(before: &str, after: &str) -> Vec<Line> {
    let diff = compared(before, after);
    let mut lines = Vec::new();
    for (place, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if place > 0 {
            lines.push(Line {
                change: Change::Skipped,
                old: None,
                new: None,
                text: String::new(),
            });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            lines.push(Line {
                change: match change.tag() {
                    ChangeTag::Insert => Change::Added,
                    ChangeTag::Delete => Change::Removed,
                    ChangeTag::Equal => Change::Same,
                },
                old: change.old_index().map(|line| line + 1),
                new: change.new_index().map(|line| line + 1),
                text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_the_lines_around_it() {
        let before: String = (1..20).map(|n| format!("baris {n}\n")).collect();
        let after = before.replace("baris 10\n", "baris 10\nbaharu\n");
        let patch = patch("faq.yaml", &before, &after);
        assert!(
            patch.starts_with(
                "--- a/knowledge/faq.yaml\n+++ b/knowledge/faq.yaml\n@@ -8,6 +8,7 @@\n"
            ),
            "{patch}"
        );
        assert_eq!(size(&before, &after), (1, 0));
        let lines = lines(&before, &after);
        assert_eq!(lines.len(), 7);
        let added = lines
            .iter()
            .find(|line| line.change == Change::Added)
            .unwrap();
        assert_eq!((added.new, added.text.as_str()), (Some(11), "baharu"));
    }
}
