//! Proposals in the words of whoever reads them: what was found in them, and what became of them.

use super::view::{DecidedRow, Measure, ProposalCard};
use crate::agent::SignedIn;
use crate::edition::proposal::{APPROVED, ROLLED_BACK};
use crate::knowledge::Knowledge;
use crate::knowledge::golden::{Figure, Moved};
use crate::knowledge::trial::{Trial, Trouble};
use crate::storage::proposal::ProposalRow;
use crate::web::console::page::{entry_name, named, when};
use crate::web::console::view::{Tag, Words};

/// Proposals in the words of whoever reads them.
pub struct Reading<'a> {
    pub w: &'a Words,
    pub who: &'a SignedIn,
    pub knowledge: &'a Knowledge,
    pub names: &'a [(String, String)],
}

impl Reading<'_> {
    fn entry(&self, id: &str) -> String {
        entry_name(self.w, self.knowledge, id)
    }

    /// One that waits.
    pub fn card(&self, row: &ProposalRow) -> ProposalCard {
        let trial = row.result.as_deref();
        let trial = trial.and_then(|result| serde_json::from_str::<Trial>(result).ok());
        let moved = trial.as_ref().and_then(|trial| trial.moved.as_ref());
        ProposalCard {
            id: row.id.clone(),
            entry: self.entry(&row.entry),
            text: row.text.clone(),
            who: named(self.names, &row.author),
            when: when(Some(row.created_at)),
            own: row.author == self.who.id,
            check: match &trial {
                None => "running",
                Some(trial) if trial.is_good() => "ok",
                Some(_) => "problems",
            },
            problems: trial.as_ref().map_or_else(Vec::new, |trial| {
                shown_troubles(self.w, self.knowledge, &trial.troubles)
            }),
            measures: moved.map_or_else(Vec::new, |moved| self.measures(moved)),
            moved: moved.map_or_else(String::new, |moved| {
                format!(
                    "{}: {} {}, {} {}.",
                    self.w.t("Soalan rujukan", "Reference questions"),
                    moved.gained,
                    self.w.t("bertambah baik", "better"),
                    moved.lost,
                    self.w.t("bertambah buruk", "worse"),
                )
            }),
        }
    }

    fn measures(&self, moved: &Moved) -> Vec<Measure> {
        let figures = moved.figures.iter();
        figures.map(|figure| self.measure(figure)).collect()
    }

    fn measure(&self, figure: &Figure) -> Measure {
        let w = self.w;
        let label = match figure.name.as_str() {
            "useful" => w.t(
                "Dijawab atau ditawarkan dengan betul",
                "Answered or offered rightly",
            ),
            "direct" => w.t("Dijawab terus dengan betul", "Answered rightly at once"),
            "harm" => w.t("Dijawab dengan salah", "Answered wrongly"),
            "oos_recall" => w.t("Ditolak dengan betul", "Refused rightly"),
            name => name,
        };
        let change = figure.after - figure.before;
        let worse = match figure.name.as_str() {
            "harm" => change > 0.0,
            _ => change < 0.0,
        };
        Measure {
            label: label.to_owned(),
            before: format!("{:.1}%", figure.before * 100.0),
            after: format!("{:.1}%", figure.after * 100.0),
            change: format!("{:+.1}", change * 100.0),
            worse,
        }
    }

    /// One that was decided on.
    pub fn decided(&self, row: &ProposalRow) -> DecidedRow {
        let w = self.w;
        let state = match row.state.as_str() {
            APPROVED => Tag::new("active", w.t("Diluluskan", "Approved")),
            ROLLED_BACK => Tag::new("invited", w.t("Dikembalikan", "Rolled back")),
            _ if row.author == row.decided_by => {
                Tag::new("disabled", w.t("Ditarik balik", "Withdrawn"))
            }
            _ => Tag::new("disabled", w.t("Ditolak", "Refused")),
        };
        DecidedRow {
            id: row.id.clone(),
            entry: self.entry(&row.entry),
            text: row.text.clone(),
            who: named(self.names, &row.author),
            state,
            decided_by: named(self.names, &row.decided_by),
            when: when(row.decided_at),
            reason: row.reason.clone(),
            has_patch: row.edition.is_some(),
        }
    }
}

/// Why something is not taken, one sentence each.
pub fn shown_troubles(w: &Words, knowledge: &Knowledge, troubles: &[Trouble]) -> Vec<String> {
    let shown = troubles.iter().map(|trouble| match trouble {
        Trouble::NoEntry => w.t("Entri itu tiada lagi.", "The entry is not there any more.").to_owned(),
        Trouble::Unusual => w.t(
            "Fail ini ditulis dengan cara yang hanya boleh diubah sendiri dalam fail.",
            "The file is written in a way that only a person changes safely, in the file.",
        ).to_owned(),
        Trouble::Broken => w.t(
            "Semakan tidak dapat dijalankan. Sila cuba lagi.",
            "The check could not be run. Please try again.",
        ).to_owned(),
        Trouble::Check { file, line, message, repair } if *line == 0 => format!("{file}: {message} → {repair}"),
        Trouble::Check { file, line, message, repair } => format!(
            "{file}, {} {line}: {message} → {repair}",
            w.t("baris", "line")
        ),
        Trouble::Answered { entry, percent } => format!(
            "{} “{}” ({percent}%). {}",
            w.t("Kini dijawab dengan", "It is now answered with"),
            entry_name(w, knowledge, entry),
            w.t(
                "Ayat ini milik entri itu, melainkan ada pengguna yang menyatakan jawapan itu tidak membantu.",
                "It belongs there, unless some user has said that this answer does not help.",
            )
        ),
        Trouble::Misled { question } => format!(
            "{} “{question}”.",
            w.t("Soalan rujukan ini akan dijawab dengan entri yang salah:", "This reference question would be answered with the wrong entry:")
        ),
        Trouble::Worse { lost, gained } => format!(
            "{} ({} {lost}, {} {gained}).",
            w.t("Soalan rujukan bertambah buruk melebihi perubahan rawak", "Reference questions get worse beyond chance"),
            w.t("buruk", "worse"),
            w.t("baik", "better"),
        ),
        Trouble::Fallen { figure } => format!(
            "{}: {figure}",
            w.t("Di bawah tahap minimum", "Below the floor")
        ),
    });
    shown.collect()
}
