//! Writes a calendar as the file that it is read from. Comments of an earlier file are not kept: nobody would know any
//! more what they are about.

use jiff::civil::{Date, Weekday};
use serde::{Serialize, Serializer};
use serde_yaml::{FlowMap, FlowSeq};

use super::holiday::{Holiday, Name};
use super::hours::{Block, Hours, weekday_name};
use super::{Calendar, SpecialPeriod};

const HEAD: &str = "\
# Waktu pejabat dan cuti. Ditulis oleh Tanya.
# Office hours and holidays. Written by Tanya.
";

#[derive(Serialize)]
struct File<'a> {
    version: u64,
    sample: bool,
    working_week: FlowSeq<Vec<&'static str>>,
    charter: FlowMap<Charter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<Weekdays<'a>>,
    special_periods: Vec<PeriodYaml<'a>>,
    holidays: Vec<HolidayYaml<'a>>,
}

#[derive(Serialize)]
struct Charter {
    acknowledge: u32,
    answer: u32,
}

#[derive(Serialize)]
struct NameYaml<'a> {
    ms: &'a str,
    en: &'a str,
}

impl<'a> NameYaml<'a> {
    fn of(name: &'a Name) -> FlowMap<Self> {
        FlowMap(Self {
            ms: &name.ms,
            en: &name.en,
        })
    }
}

#[derive(Serialize)]
struct PeriodYaml<'a> {
    name: FlowMap<NameYaml<'a>>,
    from: Date,
    to: Date,
    hours: Weekdays<'a>,
}

impl<'a> PeriodYaml<'a> {
    fn of(period: &'a SpecialPeriod) -> Self {
        Self {
            name: NameYaml::of(&period.name),
            from: period.from,
            to: period.to,
            hours: Weekdays(&period.hours),
        }
    }
}

#[derive(Serialize)]
struct HolidayYaml<'a> {
    name: FlowMap<NameYaml<'a>>,
    from: Date,
    to: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<FlowSeq<Vec<String>>>,
}

impl<'a> HolidayYaml<'a> {
    fn of(holiday: &'a Holiday) -> Self {
        let hours = holiday.hours();
        Self {
            name: NameYaml::of(holiday.name()),
            from: holiday.from(),
            to: holiday.to(),
            hours: (!hours.is_empty()).then(|| blocks(hours)),
        }
    }
}

fn blocks(blocks: &[Block]) -> FlowSeq<Vec<String>> {
    FlowSeq(blocks.iter().map(Block::to_string).collect())
}

struct Weekdays<'a>(&'a Hours);

impl Serialize for Weekdays<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let days = self.0.days();
        serializer.collect_map(days.map(|(day, hours)| (weekday_name(day), blocks(hours))))
    }
}

impl Calendar {
    /// This calendar as the text of a file that reads as the same calendar.
    pub fn to_yaml(&self) -> String {
        let week = |weekday: &Weekday| weekday_name(*weekday);
        let file = File {
            version: 1,
            sample: self.sample,
            working_week: FlowSeq(self.week.iter().map(week).collect()),
            charter: FlowMap(Charter {
                acknowledge: self.charter.acknowledge,
                answer: self.charter.answer,
            }),
            hours: self.hours.as_ref().map(Weekdays),
            special_periods: self.periods.iter().map(PeriodYaml::of).collect(),
            holidays: self.holidays.iter().map(HolidayYaml::of).collect(),
        };
        // Strings, numbers and dates in a string: there is nothing that could fail.
        let body = serde_yaml::to_string(&file).unwrap_or_default();
        format!("{HEAD}{body}")
    }
}
