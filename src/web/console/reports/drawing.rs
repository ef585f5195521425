//! Charts of what was counted, in the language of whoever reads them.

use super::chart::Chart;
use super::counts::{Counts, percent};
use super::month::Month;
use super::plot::{Caption, DayValues, Value, bars, columns, line};
use crate::clock::day_number;
use crate::knowledge::Knowledge;
use crate::storage::report::CountRow;
use crate::web::console::page::entry_name;
use crate::web::console::queue::shown_channel;
use crate::web::console::view::Words;

/// Draws what was counted, in a language.
pub struct Drawing<'a> {
    pub w: &'a Words,
    pub knowledge: &'a Knowledge,
}

impl Drawing<'_> {
    fn counted(&self, id: &str, title: &str, head: &str, rows: &[(String, i64)]) -> Chart {
        let texts: Vec<String> = rows.iter().map(|(_, count)| count.to_string()).collect();
        let values: Vec<Value<'_>> = rows
            .iter()
            .zip(&texts)
            .map(|((label, count), text)| Value {
                label,
                amount: *count as f64,
                text,
                goal: None,
            })
            .collect();
        let most = rows
            .first()
            .map_or_else(String::new, |(label, count)| format!("{label}: {count}"));
        let caption = Caption {
            id,
            title,
            desc: &most,
        };
        bars(caption, [head, self.w.t("Bilangan", "Count")], &values)
    }

    fn channel(&self, row: &CountRow) -> (String, i64) {
        (self.w.channel(shown_channel(&row.name)).label, row.count)
    }

    fn topic(&self, row: &CountRow) -> (String, i64) {
        (entry_name(self.w, self.knowledge, &row.name), row.count)
    }

    fn outcome(&self, row: &CountRow) -> (String, i64) {
        let w = self.w;
        let label = match row.name.as_str() {
            "answer" => w.t("Dijawab", "Answered"),
            "clarify" => w.t("Ditanya semula", "Asked back"),
            _ => w.t("Tiada jawapan", "No answer"),
        };
        (label.to_owned(), row.count)
    }

    /// Charts about a day.
    pub fn today(&self, counts: &Counts) -> Vec<Chart> {
        let w = self.w;
        let channels: Vec<_> = counts
            .channels
            .iter()
            .map(|row| self.channel(row))
            .collect();
        let topics: Vec<_> = counts.topics.iter().map(|row| self.topic(row)).collect();
        let outcomes: Vec<_> = counts
            .outcomes
            .iter()
            .map(|row| self.outcome(row))
            .collect();
        vec![
            self.counted(
                "today-channel",
                w.t("Mengikut saluran", "By channel"),
                w.t("Saluran", "Channel"),
                &channels,
            ),
            self.counted(
                "today-topic",
                w.t("Mengikut topik", "By topic"),
                w.t("Topik", "Topic"),
                &topics,
            ),
            self.counted(
                "today-outcome",
                w.t("Mengikut hasil", "By outcome"),
                w.t("Hasil", "Outcome"),
                &outcomes,
            ),
        ]
    }

    /// Charts about a month.
    pub fn month(&self, counts: &Counts, month: Month) -> Vec<Chart> {
        let w = self.w;
        let day = w.t("Hari", "Day");
        let (volume, rate) = self.days(counts, month);
        let total = format!("{} {}", counts.questions(), w.t("soalan", "questions"));
        let answered = w.t("Dijawab", "Answered");
        let others = w.t("Lain", "Others");
        let volume_caption = Caption {
            id: "volume",
            title: w.t("Soalan mengikut hari", "Questions by day"),
            desc: &total,
        };
        let rate_caption = Caption {
            id: "rate",
            title: w.t("Kadar dijawab oleh Tanya", "Share answered by Tanya"),
            desc: &total,
        };
        let topics: Vec<_> = counts.topics.iter().map(|row| self.topic(row)).collect();
        let votes: Vec<_> = counts.votes.iter().map(|row| self.vote(row)).collect();
        vec![
            columns(volume_caption, &[day, answered, others], &volume),
            line(rate_caption, [day, w.t("Kadar", "Share")], &rate, None),
            self.counted(
                "topics",
                w.t("Topik", "Topics"),
                w.t("Topik", "Topic"),
                &topics,
            ),
            self.counted(
                "votes",
                w.t("Undian", "Votes"),
                w.t("Undian", "Vote"),
                &votes,
            ),
        ]
    }

    fn vote(&self, row: &CountRow) -> (String, i64) {
        let w = self.w;
        let label = match row.name.as_str() {
            "helpful" => w.t("Membantu", "Helpful"),
            _ => w.t("Tidak membantu", "Not helpful"),
        };
        (label.to_owned(), row.count)
    }

    /// Questions of each day, answered and others; and the share that was answered.
    fn days(&self, counts: &Counts, month: Month) -> (Vec<DayValues>, Vec<DayValues>) {
        let mut volume = Vec::new();
        let mut rate = Vec::new();
        for day in month.days() {
            let number = day_number(day);
            let row = counts.days.iter().find(|row| row.day == number);
            let (questions, answered) = row.map_or((0, 0), |row| (row.questions, row.answered));
            let of = |values: Vec<f64>| DayValues {
                tick: day.day().to_string(),
                day: day.strftime("%d/%m/%Y").to_string(),
                values,
            };
            volume.push(of(vec![answered as f64, (questions - answered) as f64]));
            rate.push(of(percent(answered, questions).into_iter().collect()));
        }
        (volume, rate)
    }
}
