//! The month at a glance: a few numbers, each with what it is to be compared with.

use super::counts::{Counts, shown_percent};
use super::view::Tile;
use crate::web::console::view::Words;

/// The numbers.
pub fn tiles(w: &Words, counts: &Counts) -> Vec<Tile> {
    let tile = |label: &str, value: String, note: String| Tile {
        label: label.to_owned(),
        value,
        note,
        state: String::new(),
    };
    let opened = counts.sum(|row| row.opened);
    let acknowledged = counts.sum(|row| row.acknowledged);
    let resolved = counts.sum(|row| row.resolved);
    let average = |sum: i64, count: i64| {
        if count > 0 {
            span_text(w, sum / count)
        } else {
            "–".to_owned()
        }
    };
    let without = counts.conversations - counts.handed_over;
    let (helpful, votes) = counts.helpful();
    vec![
        tile(
            w.t("Soalan", "Questions"),
            counts.questions().to_string(),
            format!(
                "{} {}",
                counts.conversations,
                w.t("perbualan", "conversations")
            ),
        ),
        tile(
            w.t("Selesai tanpa pegawai", "Settled without an officer"),
            shown_percent(without, counts.conversations),
            format!(
                "{} {}",
                counts.handed_over,
                w.t("diserahkan", "handed over")
            ),
        ),
        tile(
            w.t("Tiket dibuka", "Tickets opened"),
            opened.to_string(),
            format!("{resolved} {}", w.t("diselesaikan", "resolved")),
        ),
        tile(
            w.t("Disahkan dalam piagam", "Acknowledged within the charter"),
            shown_percent(counts.sum(|row| row.acknowledged_in_time), acknowledged),
            format!(
                "{} {}",
                w.t("purata menunggu", "average wait"),
                average(counts.sum(|row| row.waited), acknowledged)
            ),
        ),
        tile(
            w.t("Dijawab dalam piagam", "Answered within the charter"),
            shown_percent(
                counts.sum(|row| row.answered_in_time),
                counts.sum(|row| row.answered),
            ),
            format!(
                "{} {}",
                w.t("purata penyelesaian", "average resolution"),
                average(counts.sum(|row| row.took), resolved)
            ),
        ),
        tile(
            w.t("Undian membantu", "Helpful votes"),
            shown_percent(helpful, votes),
            format!("{helpful} {} {votes}", w.t("daripada", "of")),
        ),
    ]
}

/// A time in the unit that suits it.
fn span_text(w: &Words, millis: i64) -> String {
    let minutes = millis / 60_000;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2_879 => format!("{:.1} {}", minutes as f64 / 60.0, w.t("jam", "h")),
        _ => format!("{:.1} {}", minutes as f64 / 1_440.0, w.t("hari", "days")),
    }
}
