//! The knowledge: whether the folder can be read, and holds what is taken.

use std::time::Duration;

use super::{Doctor, Finding};
use crate::knowledge::source::Source;
use crate::knowledge::{Knowledge, LoadOptions, Strictness};

const CHECK: &str = "knowledge";
/// It is trained on the way, which takes seconds and no network.
pub(super) const LIMIT: Duration = Duration::from_secs(120);

impl Doctor<'_> {
    pub(super) async fn knowledge(&self) -> Vec<Finding> {
        if self.is_unset("TANYA_KNOWLEDGE_DIR") {
            return Vec::new();
        }
        let folder = self.settings.knowledge_dir.clone();
        let source = Source::folder_or_embedded(&folder);
        let place = match &source {
            Source::Folder(folder) => folder.display().to_string(),
            Source::Embedded | Source::File(_) => "the copy in the binary".to_owned(),
        };
        let options = LoadOptions {
            contacts: self.settings.contacts.clone(),
            today: self.clock.today(),
            review_days: self.settings.review_days,
            strictness: Strictness::Full,
            sample_hours: false,
            editions: Vec::new(),
        };
        let loaded = tokio::task::spawn_blocking(move || Knowledge::load(&source, &options)).await;
        let Ok(loaded) = loaded else {
            return vec![Finding::wrong(
                CHECK,
                "it broke while it was read",
                "`tanya check`",
            )];
        };
        match loaded {
            Ok(loaded) => {
                let entries = loaded.knowledge.book().entries.len();
                let found = format!("{entries} entries, from {place}");
                vec![match loaded.warnings.len() {
                    0 => Finding::ok(CHECK, found),
                    count => Finding::warning(
                        CHECK,
                        format!("{found}; {count} things worth knowing"),
                        "`tanya check` names them",
                    ),
                }]
            }
            Err(problems) => {
                let errors = problems.iter().filter(|problem| problem.is_error());
                let errors = errors.map(|problem| {
                    Finding::wrong(CHECK, problem.to_string(), "`tanya check` names everything")
                });
                errors.collect()
            }
        }
    }
}
